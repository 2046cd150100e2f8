import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { memoryDriver } from '../../src/drivers/memory/index.ts'

function power(program: readonly string[]) {
  const { power: ops } = memoryDriver({ hostPower: { shutdown: program, reboot: ['true'] } })
  assert(ops !== undefined)
  return ops
}

test('a driver without programs for it has no power over the machine', () => {
  assert(!('power' in memoryDriver()))
})

const REFUSALS: ReadonlyArray<readonly [string, readonly string[], RegExp]> = [
  ['a program that is not there', ['/nowhere/shutdown'], /\/nowhere\/shutdown could not be run/],
  [
    'a program that fails',
    [process.execPath, '-e', "console.error('not allowed'); process.exit(3)"],
    /with 3: not allowed/,
  ],
  ['a program that is killed', [process.execPath, '-e', "process.kill(process.pid, 'SIGKILL')"], /with SIGKILL/],
  ['no program at all', [], /no program/],
]

for (const [what, program, message] of REFUSALS) {
  test(`${what} is refused, and what it complains of is told`, async () => {
    await assert.rejects(power(program).shutdown(), { name: 'DriverError', kind: 'refused', message })
  })
}

test('arguments reach the program as they are, without a shell', async () => {
  const check = "process.exit(process.argv[1] === '$(exit 1); `x` *' ? 0 : 9)"

  await power([process.execPath, '-e', check, '$(exit 1); `x` *']).shutdown()
})

test('a program that leaves another behind is waited for alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-left-'))
  const left = join(folder, 'pids')
  const leave = `
    const sleeper = ['-e', 'setTimeout(() => {}, 60_000)']
    const child = require('node:child_process').spawn(process.execPath, sleeper, { stdio: 'inherit' })
    child.unref()
    require('node:fs').appendFileSync(process.argv[1], child.pid + '\\n')`
  const beginMs = performance.now()
  try {
    await power([process.execPath, '-e', leave, left]).shutdown()
    const failing = power([process.execPath, '-e', `${leave}; process.exit(4)`, left])
    await assert.rejects(failing.shutdown(), { message: /with 4/ })

    assert(performance.now() - beginMs < 30_000)
  } finally {
    const pids = (await readFile(left, 'utf8')).trim().split('\n').map(Number)
    for (const pid of pids) process.kill(pid)
    await rm(folder, { recursive: true, force: true })
  }
})
