import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  type ArgsOf,
  events,
  type Handlers,
  procedures,
  type ResultOf,
  type RpcClient,
} from '../../src/protocols/libvirt-rpc/index.ts'
import { XdrError } from '../../src/wire/xdr/error.ts'
import { readAll } from '../../src/wire/xdr/types.ts'
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

test('whatever comes as arguments, results or events is read as such, or refused as none', () => {
  const types = [
    ...Object.values(procedures).flatMap(({ args, result }) => [args, result]),
    ...Object.values(events).map(({ body }) => body),
  ]
  // Small numbers pass for lengths, kinds and truth values, so that much of it is read far in.
  const words = fc.array(fc.oneof(fc.nat({ max: 8 }), fc.constant(0x61626364), fc.integer()), { maxLength: 40 })
  fc.assert(
    fc.property(words, numbers => {
      const bytes = Buffer.alloc(numbers.length * 4)
      numbers.forEach((number, index) => bytes.writeInt32BE(number | 0, index * 4))
      for (const type of types) {
        try {
          readAll<unknown>(type, bytes)
        } catch (error) {
          assert.ok(error instanceof XdrError, String(error))
        }
      }
    }),
    { numRuns: 60 },
  )
})
