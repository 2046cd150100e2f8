import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { DriverError } from '../../src/drivers/driver.ts'
import { connect } from '../../src/drivers/hyperv/index.ts'
import { passwordFile, startHost } from './setting.ts'

const warn = () => undefined

async function refusal(uri: string): Promise<string> {
  const error: unknown = await connect({ uri: new URL(uri), warn }).catch((reason: unknown) => reason)
  assert(error instanceof DriverError && error.kind === 'refused', String(error))
  return error.message
}

test('a URI that cannot be followed is refused by what is wrong with it', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['hyperv://u@h/', /negotiate needs a password; password_file=FILE/],
    ['hyperv://u:secret@h/', /a password stands in the URI/],
    ['hyperv://u@h/?password_file=relative', /no absolute path/],
    ['hyperv://u@h/?password_file=/a&password_file=/b', /password_file twice/],
    ['hyperv://u@h/?namespace=v1&namespace=v2', /namespace twice/],
    [`hyperv://u@h/?color=red&password_file=${passwordFile}`, /unknown parameter color/],
    [`hyperv://h/?password_file=${passwordFile}`, /needs a user/],
  ]
  for (const [uri, message] of cases) {
    const told = await refusal(uri)
    assert.match(told, message)
    assert.doesNotMatch(told, /secret/)
  }
})

test('a password file that is not there, or holds none, is named', async () => {
  const empty = `${passwordFile}-empty`
  writeFileSync(empty, '\n')

  assert.match(
    await refusal('hyperv://u@127.0.0.1:1/?password_file=/nowhere/password'),
    /cannot be read from \/nowhere/,
  )
  assert.match(await refusal(`hyperv://u@127.0.0.1:1/?password_file=${empty}`), /begins with no password/)
})

test('a host that nobody answers for is unreachable', async () => {
  const uri = new URL(`hyperv://u@127.0.0.1:1/?password_file=${passwordFile}`)

  await assert.rejects(connect({ uri, warn }), { name: 'DriverError', kind: 'unreachable' })
})

test('a host that does not accept the password refuses, and is not told of it in the error', async () => {
  const { uri, sim } = await startHost('--pace', '0')
  const wrong = `${passwordFile}-wrong`
  writeFileSync(wrong, 'not the password')
  const other = new URL(uri)
  other.searchParams.set('password_file', wrong)
  try {
    assert.doesNotMatch(await refusal(other.href), /not the password/)
  } finally {
    await sim.close()
  }
})

test('a host is driven through v2 where it has it, through v1 where it has nothing else, and as the URI says', async () => {
  const cases: readonly (readonly [has: string, wanted: string, driven: string | RegExp])[] = [
    ['both', '', 'v2'],
    ['both', 'v1', 'v1'],
    ['both', 'v2', 'v2'],
    ['v1', '', 'v1'],
    ['v1', 'v2', /has no root\\virtualization\\v2$/],
    ['v2', 'v1', /has no root\\virtualization$/],
    ['v2', 'v3', /namespace in the URI of the host is v1 or v2, not v3/],
  ]
  for (const [has, wanted, driven] of cases) {
    const { uri, sim } = await startHost('--build', '9200', '--namespace', has, '--pace', '0')
    if (wanted !== '') uri.searchParams.set('namespace', wanted)
    try {
      if (typeof driven !== 'string') {
        assert.match(await refusal(uri.href), driven)
        continue
      }
      const driver = await connect({ uri, warn })
      assert.equal((await driver.host.info()).softwareVersion['hyper-v-wmi'], driven, `${has}, ${wanted}`)
      await driver.close()
    } finally {
      await sim.close()
    }
  }
})
