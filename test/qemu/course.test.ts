import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Course } from '../../src/drivers/qemu/course.ts'
import type { QmpEvent } from '../../src/protocols/qmp/commands.ts'

/** A guest that runs, and what is told of it. */
function running() {
  const told: string[] = []
  const course: Course = new Course({
    changed: () => told.push([course.state, course.pause, course.isWakeUp && 'awake'].filter(Boolean).join(' ')),
    guestReset: () => told.push('reset'),
    held: exit => told.push(`held ${exit}`),
  })
  course.answered('running')
  told.length = 0
  const hear = (event: string, data: QmpEvent['data'] = {}) => course.hear({ event, data, timestampMs: 1_000 })
  return { course, told, hear }
}

test('a guest that a disk, a watchdog or somebody stops says so when it is told to be paused, and no longer', () => {
  const { course, told, hear } = running()
  hear('BLOCK_IO_ERROR', { action: 'stop' })
  hear('STOP')
  hear('RESUME')
  hear('WATCHDOG', { action: 'pause' })
  hear('STOP')
  hear('RESUME')
  hear('BLOCK_IO_ERROR', { action: 'report' })
  hear('STOP')
  assert.deepEqual(told, ['paused io-error', 'running', 'paused watchdog', 'running', 'paused'])

  course.answered('paused')
  assert.equal(course.pause, 'asked')
  for (const [status, pause] of [
    ['io-error', 'io-error'],
    ['postmigrate', 'saving'],
    ['shutdown', 'ended'],
    ['debug', undefined],
    ['running', undefined],
  ] as const) {
    course.answered(status)
    assert.equal(course.pause, pause, status)
  }
})

test('a guest that wakes up is told to have done so, and one that somebody lets go on is not', () => {
  const { told, hear } = running()
  hear('SUSPEND')
  hear('WAKEUP')
  hear('STOP')
  hear('RESUME')

  assert.deepEqual(told, ['unknown', 'running awake', 'paused', 'running'])
})
