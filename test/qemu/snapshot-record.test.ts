import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NO_SNAPSHOTS, readRecord, writeRecord } from '../../src/drivers/qemu/snapshot-record.ts'
import { describe } from '../../src/drivers/qemu/snapshot-tree.ts'
import { atEnd } from '../support/at-end.ts'

const definition = {
  config: {
    id: '9f0e3c5e-1d0b-4b0e-8a53-6b6ad1a9a001',
    name: 'web',
    description: '',
    memoryBytes: 67_108_864,
    vcpus: 1,
    boot: { kind: 'firmware', device: 'disk' },
    disks: [],
  },
  machine: 'pc-i440fx-7.2',
  slots: {},
} as const

test('a snapshot that was recorded before it was said whether its domain was paused is read, and was not', async context => {
  const folder = await mkdtemp(join(tmpdir(), 'pv-record-'))
  atEnd(context, () => rm(folder, { recursive: true }))
  const path = join(folder, 'snapshots.json')
  const memory = { definition, bytes: 1, crc32: 2, paused: true }
  const kept = { id: 'a', name: 'a', description: '', createdMs: 1, parent: null, definition, memory, disks: [] }
  await writeRecord(path, { ...NO_SNAPSHOTS, snapshots: [kept], current: 'a' })
  const pauses = async () => (await readRecord(path)).snapshots.map(each => describe(each, 'a').wasPaused)

  assert.deepEqual(await pauses(), [true])
  await writeFile(path, (await readFile(path, 'utf8')).replace(',"paused":true', ''))
  assert.deepEqual(await pauses(), [undefined])
})
