import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAnswer } from '../../src/protocols/qmp/commands.ts'
import { decodeBalloonStats, decodeDirtyRate, decodeDrives } from '../../src/protocols/qmp/counters.ts'
import { JsonShapeError } from '../../src/protocols/qmp/json.ts'

const UNTOLD = 2 ** 64

test('the counters of drives are read by our names, and those that a QEMU does not have are not there', () => {
  const stats = {
    rd_bytes: 4_608,
    wr_bytes: 512,
    rd_operations: 2,
    wr_operations: 1,
    flush_operations: 3,
    rd_total_time_ns: 199_420,
    // More than JavaScript holds exactly.
    wr_total_time_ns: 2 ** 60,
    flush_total_time_ns: 7,
    failed_rd_operations: 4,
    failed_wr_operations: 5,
    failed_flush_operations: 6,
    unmap_bytes: 0,
  }
  const old = { rd_bytes: 1, wr_bytes: 2 }

  assert.deepEqual(decodeDrives([{ qdev: '/machine/peripheral/d', stats }, { stats: old }]), [
    {
      device: '/machine/peripheral/d',
      readBytes: 4_608,
      writtenBytes: 512,
      reads: 2,
      writes: 1,
      flushes: 3,
      readNs: 199_420,
      writeNs: 2 ** 60,
      flushNs: 7,
      failedReads: 4,
      failedWrites: 5,
      failedFlushes: 6,
    },
    { readBytes: 1, writtenBytes: 2 },
  ])
  assert.throws(() => decodeDrives([{ stats: { ...stats, rd_operations: 'many' } }]), JsonShapeError)
})

test('of what a guest says of its memory, what it does not say is not there', () => {
  const stats = { 'stat-free-memory': 1_024, 'stat-swap-in': 0, 'stat-htlb-pgfail': UNTOLD }

  assert.deepEqual(decodeBalloonStats({ 'last-update': 1_796_069_220, stats }), {
    lastUpdate: 1_796_069_220,
    stats: { 'stat-free-memory': 1_024, 'stat-swap-in': 0 },
  })
  for (const wrong of [null, {}, { 'last-update': 'now', stats: {} }, { 'last-update': 1, stats: [] }]) {
    assert.throws(() => decodeBalloonStats(wrong), JsonShapeError)
  }
})

test('a drive says whether its image could be written', () => {
  const status = (said: object) => decodeAnswer['query-block']([{ qdev: 'd', ...said }]).map(drive => drive.status)

  assert.deepEqual(
    ['nospace', 'failed', 'ok'].map(word => status({ 'io-status': word })[0]),
    ['nospace', 'failed', 'ok'],
  )
  assert.deepEqual(status({}), ['ok'])
})

test('how fast a guest writes to its memory is read as it was found, and what is none is refused', () => {
  const told = { status: 'measured', 'start-time': 7, 'calc-time': 2, 'sample-pages': 512, 'dirty-rate': 30 }

  assert.deepEqual(decodeDirtyRate({ ...told, mode: 'dirty-ring' }), {
    status: 'measured',
    startS: 7,
    periodS: 2,
    mode: 'dirty-ring',
    mibPerS: 30,
  })
  assert.equal(decodeDirtyRate(told).mode, 'page-sampling')
  assert.throws(() => decodeDirtyRate({ ...told, status: 'guessed' }), JsonShapeError)
})
