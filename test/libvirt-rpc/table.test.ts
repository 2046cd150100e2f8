import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ArgsOf,
  events,
  type Handlers,
  procedures,
  type ResultOf,
  type RpcClient,
} from '../../src/protocols/libvirt-rpc/index.ts'
import { OTHER_FUNCTIONS } from '../../src/protocols/libvirt-rpc/table/others.ts'

test('every number up to the last of libvirt 9.0 belongs to one procedure or event', () => {
  const LAST = 443
  // Events that clients are told of in another way since libvirt 1.3, and those of secrets.
  const unspoken = [107, 169, 170, 171, 172, 173, 195, 224, 241, 248, 268, 269, 270, 276, 292, 311, 382, 383, 385]
  const spoken = [...Object.values(procedures), ...Object.values(events)].map(({ number }) => number)
  const known = [...spoken, ...OTHER_FUNCTIONS.keys(), ...unspoken].sort((a, b) => a - b)

  assert.deepEqual(
    known,
    Array.from({ length: LAST }, (_, index) => index + 1),
  )
})

test('names the procedures that open a stream', () => {
  const named = Object.entries(procedures).flatMap(([name, { stream }]) => (stream === undefined ? [] : [name]))

  assert.deepEqual(named.sort(), [
    'DOMAIN_OPEN_CHANNEL',
    'DOMAIN_OPEN_CONSOLE',
    'DOMAIN_SCREENSHOT',
    'STORAGE_VOL_DOWNLOAD',
    'STORAGE_VOL_UPLOAD',
  ])
})

test('only what serves to log in may be called before', () => {
  const open = Object.entries(procedures).flatMap(([name, { beforeLogin }]) => (beforeLogin === true ? [name] : []))

  assert.deepEqual(open, ['AUTH_LIST', 'AUTH_SASL_INIT', 'AUTH_SASL_START', 'AUTH_SASL_STEP'])
})

test('what a procedure takes and gives follows from the table', () => {
  const args: ArgsOf<'DOMAIN_LOOKUP_BY_NAME'> = { name: 'alpha' }
  const result: ResultOf<'CONNECT_GET_VERSION'> = { hv_ver: 1n }
  // @ts-expect-error the version is a hyper integer
  const wrong: ResultOf<'CONNECT_GET_VERSION'> = { hv_ver: 1 }
  const calls = (client: RpcClient) => [
    client.call('CONNECT_CLOSE'),
    client.call('DOMAIN_LOOKUP_BY_NAME', args),
    // @ts-expect-error the name is missing
    client.call('DOMAIN_LOOKUP_BY_NAME'),
    // @ts-expect-error there is no such procedure
    client.call('DOMAIN_LOOK_UP', args),
    // @ts-expect-error that procedure opens no stream
    client.open('DOMAIN_LOOKUP_BY_NAME', args),
  ]
  const serving: Handlers = {
    CONNECT_GET_VERSION: () => result,
    // @ts-expect-error the answer lacks its text
    CONNECT_GET_HOSTNAME: () => ({}),
  }

  assert.equal(calls.length + Object.keys(serving).length, 3)
  assert.deepEqual(wrong, { hv_ver: 1 })
})
