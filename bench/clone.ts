/** VM.clone of a VM with a disk of 10 GiB against a full copy of the same image with qemu-img. */

import { execFile } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ApiClient } from '../test/support/client.ts'
import { ADMIN, startServer } from '../test/support/server.ts'
import { median, print } from './measure.ts'

const IMAGE_BYTES = 10 * 1024 ** 3
/** What of it is in use: a small system's worth. */
const FILLED_BYTES = 1024 ** 3
const BLOCK_BYTES = 8 * 1024 ** 2
const RUNS = 5
const AIM_MS = 1_000

const folder = await mkdtemp(join(tmpdir(), 'polyvisor-bench-'))
const server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'] })
const client = new ApiClient(server.http)
try {
  const images = join(folder, 'images')
  await mkdir(images)
  await fill(join(images, 'root.raw'))
  const session = await client.login(ADMIN.name, ADMIN.password)
  const sr = await session.text('SR.create', { type: 'dir', location: images, name_label: 'images' })
  const [vdi = ''] = await session.list('SR.get_VDIs', sr)
  const vm = await session.text('VM.create', { name_label: 'original' })
  await session.ok('VBD.create', { VM: vm, VDI: vdi, device: 'hda' })
  const copies: number[] = []
  for (let run = 0; run < 3; run++) copies.push(await copy(join(images, 'root.raw'), join(folder, 'copy.raw')))
  const clones: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now()
    await session.ok('VM.clone', vm, `clone-${run}`)
    clones.push(performance.now() - begin)
  }
  const [ours_ms, reference_ms] = [median(clones), median(copies)]
  const row = { bench: 'clone-10-gib', ours_ms, first_ms: clones[0] ?? 0, reference_ms }
  print({ ...row, ratio: ours_ms / reference_ms, aim_ms: AIM_MS })
} finally {
  client.close()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

/** A sparse image with random content at its beginning. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w')
  const block = randomFillSync(Buffer.alloc(BLOCK_BYTES))
  for (let at = 0; at < FILLED_BYTES; at += BLOCK_BYTES) await file.write(block, 0, BLOCK_BYTES, at)
  await file.truncate(IMAGE_BYTES)
  await file.sync()
  await file.close()
}

async function copy(from: string, to: string): Promise<number> {
  const begin = performance.now()
  await promisify(execFile)('qemu-img', ['convert', '-f', 'raw', '-O', 'raw', from, to])
  const time = performance.now() - begin
  if ((await stat(to)).size !== IMAGE_BYTES) throw new Error('the copy is not whole')
  await rm(to)
  return time
}
