import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { detectAccelerator } from '../../src/drivers/qemu/accelerator.ts'
import { parseCpus } from '../../src/drivers/qemu/host.ts'
import { findByPidFile, identify, isAlive } from '../../src/drivers/qemu/process.ts'
import { ResetCounter } from '../../src/drivers/qemu/reset-counter.ts'
import { stateOf } from '../../src/drivers/qemu/run-state.ts'

test("CPUs are numbered as Linux numbers them, their features named by the draft's names", () => {
  const cpuinfo = [
    'processor\t: 0\nmodel name\t: A (tm) CPU\nflags\t\t: fpu sse pni avx512f sse2 clflush ht tm dts\nbugs\t\t: fpu\n',
    'processor\t: 7\nflags\t\t: fpu\n',
    '',
  ].join('\n')

  assert.deepEqual(parseCpus(cpuinfo), [
    { number: 0, features: ['FPU', 'XMM', 'XMM3', 'XMM2', 'CLFLSH', 'HT', 'ACC', 'DTES'] },
    { number: 7, features: ['FPU'] },
  ])
})

test('an accelerator is always found', () => {
  assert(['kvm', 'tcg'].includes(detectAccelerator()))
})

test('a run state that is not known is unknown', () => {
  assert.equal(stateOf('prelaunch'), 'paused')
  assert.equal(stateOf('levitating'), 'unknown')
  assert.equal(stateOf('constructor'), 'unknown')
})

test('a process is itself only, and a number without a process is nobody', () => {
  const self = identify(process.pid)

  assert(self !== undefined && isAlive(self))
  assert(!isAlive({ ...self, startedTicks: '1' }))
  assert.equal(identify(2 ** 22 + 1), undefined)
  assert.equal(findByPidFile().get('/nowhere/qemu.pid'), undefined)
})

test('resets that follow a reset at once are not counted again', () => {
  const resets = new ResetCounter()

  assert.deepEqual(
    [
      resets.isByGuest(0, true, true), // The guest's own, then the firmware's echo.
      resets.isByGuest(30, true, true),
      resets.isByGuest(10_000, false, true), // The host's, then two echoes.
      resets.isByGuest(10_030, true, true),
      resets.isByGuest(10_031, true, true),
      resets.isByGuest(20_000, true, true),
    ],
    [true, false, false, false, false, true],
  )
})

test('a machine that is reset while it stands still echoes when it is resumed', () => {
  const resets = new ResetCounter()

  resets.isByGuest(0, false, false)
  resets.resumed(60_000)
  assert.equal(resets.isByGuest(60_030, true, true), false)
  resets.resumed(70_000)
  assert.equal(resets.isByGuest(70_030, true, true), true)
})

test('a machine without QEMU is told what to install', async () => {
  const starter = fileURLToPath(new URL('./starter.ts', import.meta.url))
  const run = promisify(execFile)(process.execPath, [starter, '/tmp/pv-nothing', 'nobody'], {
    env: { PATH: '/nowhere' },
  })

  await assert.rejects(run, /qemu-system-x86_64 is not on this machine; on Debian: apt-get install qemu-system-x86/)
})
