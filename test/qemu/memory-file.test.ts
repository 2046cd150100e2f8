import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { feedMemory } from '../../src/drivers/qemu/memory-file.ts'
import { atEnd } from '../support/at-end.ts'

const BYTES = 871_537
const TURNS = 100

test('memory is fed whole to a reader that hangs up with its last byte', { timeout: 60_000 }, async context => {
  const folder = await mkdtemp(join(tmpdir(), 'pv-memory-'))
  atEnd(context, () => rm(folder, { recursive: true }))
  const content = Buffer.alloc(BYTES, 7)
  await writeFile(join(folder, 'memory'), content)
  const reader = createServer(socket => {
    let left = BYTES
    socket.on('error', () => undefined).on('data', piece => (left -= piece.length) > 0 || socket.destroy())
  })
  atEnd(context, () => reader.close())
  reader.listen(join(folder, 'socket'))
  await once(reader, 'listening')

  for (let turn = 0; turn < TURNS; turn++) {
    const file = await open(join(folder, 'memory'))
    const extent = await feedMemory(file, join(folder, 'socket'), { onBytes: () => undefined })
    await file.close()
    assert.deepEqual(extent, { bytes: BYTES, crc32: crc32(content) })
  }
})
