import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { LAUNCHER, outcomeOf, readyLine, type Running } from './world.ts'
import { atEnd } from '../support/at-end.ts'

const SERVE = ['serve', '--listen', 'http://127.0.0.1:0', '--host', 'memory:///lab?vms=1&seed=1', '--log-level', 'warn']

/** Makes this Node say that it is an older one; one that can exec, or one that cannot. */
const pretend = (version: string, canExec: boolean): string[] => {
  const versions = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });`
  const code = versions + (canExec ? '' : 'process.execve = undefined;')
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`]
}

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'polyvisor-launcher-'))
  atEnd(context, () => rm(path, { recursive: true, force: true }))
  return path
}

interface How {
  /** Of Node itself. */
  readonly flags?: readonly string[]
  readonly launcher?: string
}

function launch(home: string, words: readonly string[], { flags = [], launcher = LAUNCHER }: How = {}): Running {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, POLYVISOR_DATA: join(home, 'data') }
  return spawn(process.execPath, [...flags, launcher, ...words], { stdio: 'pipe', env })
}

test('--version prints the version of the package', async context => {
  const { code, out } = await outcomeOf(launch(await folder(context), ['--version']))

  assert.equal(code, 0)
  assert.match(out, /^\d+\.\d+\.\d+\n$/)
})

for (const canExec of [true, false]) {
  const way = canExec ? 'becomes' : 'starts'

  test(`a Node that is too old ${way} the one of the checkout, and a signal stops the server`, async context => {
    const child = launch(await folder(context), SERVE, { flags: pretend('20.19.0', canExec) })
    const { pid } = await readyLine(child.stdout)
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
    const ended = once(child, 'exit')

    assert.equal(pid === child.pid, canExec)
    assert.match(command, /node_modules\/\.bin\/node .*polyvisor\.mjs serve/)
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  })

  test(`a Node that is too old and ${way} the other ends with its exit code`, async context => {
    const child = launch(await folder(context), ['vm', 'strt'], { flags: pretend('20.19.0', canExec) })
    const { code, err } = await outcomeOf(child)

    assert.equal(code, 2)
    assert.match(err, /^error: unknown command 'strt'\n/)
  })
}

test('a Node that is too old says what is missing where there is no other', async context => {
  const home = await folder(context)
  await cp(dirname(LAUNCHER), join(home, 'bin'), { recursive: true })

  const how = { flags: pretend('18.20.1', true), launcher: join(home, 'bin', 'polyvisor.mjs') }
  const { code, out, err } = await outcomeOf(launch(home, ['vm', 'list'], how))
  assert.equal(code, 1)
  assert.equal(out, '')
  assert.match(
    err,
    /^error: polyvisor needs Node\.js 24\.7 or newer, and this is 18\.20\.1\nhint: .*npm ci.*nodejs\.org/,
  )
})

test('the command runs through a link, as npm installs it', async context => {
  const home = await folder(context)
  await symlink(LAUNCHER, join(home, 'polyvisor'))

  const { code } = await outcomeOf(launch(home, ['--version'], { launcher: join(home, 'polyvisor') }))
  assert.equal(code, 0)
})

test('an option that is none is an error of usage, with the nearest one named', async context => {
  const { code, err } = await outcomeOf(launch(await folder(context), ['serve', '--lisen', 'x']))

  assert.equal(code, 2)
  assert.match(err, /^error: unknown option '--lisen'\n\(Did you mean --listen\?\)\n/)
})

test('a server that cannot start says why in one line and ends with 1', async context => {
  const { code, err } = await outcomeOf(launch(await folder(context), ['serve', '--listen', 'http://0.0.0.0:0']))

  assert.equal(code, 1)
  assert.match(
    err,
    /^error: the listener http:\/\/0\.0\.0\.0:0 would carry passwords in the clear.*--allow-plain-http\n$/,
  )
})
