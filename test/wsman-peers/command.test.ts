import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { run } from '../support/command.ts'
import { startSimHyperv } from '../support/sim-hyperv.ts'
import { connect } from './client-world.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/polyvisor-sim-hyperv.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'polyvisor-command-'))
after(() => rmSync(folder, { recursive: true }))

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const PASSWORD = ['--password-file', file('password', 'a password\n')]
const command = (...args: string[]) => run(process.execPath, [LAUNCHER, ...args])

describe('the command', () => {
  test('tells of all its options when it is asked for help, and does nothing else', async () => {
    for (const flag of ['--help', '-h']) {
      const { code, stdout, stderr } = await command(flag)

      assert.deepEqual([code, stderr], [0, ''])
      for (const option of ['--listen', '--build', '--state', '--faults', '--keytab', '--record']) {
        assert.ok(stdout.includes(option), option)
      }
    }
  })

  for (const [what, args, says] of [
    ['without a password', [], /--password-file is missing/],
    ['with a password file that is not there', ['--password-file', join(folder, 'none')], /--password-file cannot be/],
    ['with a password file that is empty', ['--password-file', file('empty', '\n')], /holds no password/],
    ['with an option that it does not know', [...PASSWORD, '--nothing'], /--nothing/],
    ['with a word that belongs to no option', [...PASSWORD, 'word'], /word/],
    ['with a build that is none', [...PASSWORD, '--build', '9999'], /--build is 9999; it may be 7601, .*26100/],
    ['with a namespace that the build does not have', [...PASSWORD, '--namespace', 'v1'], /has only v2/],
    ['with an address that is none', [...PASSWORD, '--listen', 'ftp://x'], /--listen is ftp:/],
    ['with a number that is none', [...PASSWORD, '--vms', 'many'], /--vms is many/],
    ['with a name that is none', [...PASSWORD, '--name', 'a name that is too long'], /--name is /],
    ['with half a certificate', [...PASSWORD, '--cert', file('cert', 'x')], /--cert and --key go together/],
    ['with a plan that is none', [...PASSWORD, '--faults', file('plan', '{"request":[]}')], /no field request/],
    ['with a record of nobody', [...PASSWORD, '--record', join(folder, 'record')], /--record needs --record-from/],
  ] as const) {
    test(`${what} ends with 2, a reason and a hint`, async () => {
      const { code, stdout, stderr } = await command('--listen', 'http://127.0.0.1:0', ...args)

      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, says)
      assert.match(stderr, /\nhint: --help lists the options\n$/)
      assert.doesNotMatch(stderr, /\n +at |a password/)
    })
  }

  test('ends with 1 where it cannot go on: a port that is taken, a state that is none or of another build', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => taken.once('listening', resolve))
    const address = taken.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    const other = join(folder, 'other-build')
    const host = await startSimHyperv('--state', other, '--build', '9600')
    await host.stop()
    const listen = ['--listen', 'http://127.0.0.1:0']
    const places = mkdtempSync(join(folder, 'places-'))

    for (const [args, says] of [
      [['--listen', `http://127.0.0.1:${port}`], /EADDRINUSE/],
      [[...listen, '--state', file('torn', '{"version":1,')], /not the state of a simulated host/],
      [[...listen, '--state', other], /of build 9600; start it with --build 9600/],
    ] as const) {
      const { code, stdout, stderr } = await run('/usr/bin/env', [
        `TMPDIR=${places}`,
        process.execPath,
        LAUNCHER,
        ...PASSWORD,
        ...args,
      ])
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\n +at /)
    }
    assert.deepEqual(readdirSync(places), []) // Nothing of what could not start stays behind.
    taken.close()
  })

  test('listens on as many addresses as it is told to, and says on which', async () => {
    const listen = ['http://127.0.0.1:0', 'http://[::1]:0', 'https://127.0.0.1:0'].flatMap(url => ['--listen', url])
    const host = await startSimHyperv(...listen)

    for (const [listener, target] of [
      [0, {}],
      [1, {}],
      [2, { noVerify: true }],
    ] as const) {
      const client = connect(host, { listener, ...target })
      assert.equal((await client.identify()).osVersion, '10.0.20348')
      await client.close()
    }
    assert.match(host.urls[1] ?? '', /^http:\/\/\[::1\]:\d+$/)
    assert.equal(await host.stop(), 0)
  })

  test('ends with 0 when it is told to, also while clients wait for it', async () => {
    const host = await startSimHyperv('--latency', '60000', '--vms', '1')
    const client = connect(host)
    const waiting = client.identify().catch((error: unknown) => error)
    await sleep(200)

    assert.equal(await host.stop(), 0)
    const failure = await waiting
    assert.ok(failure instanceof Error && failure.name === 'TransportError')
    await client.close()
    assert.equal(host.complaints(), '')
  })
})
