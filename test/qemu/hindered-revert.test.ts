import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

/** In front of the machine's own programs, and on the way before the driver looks for them. */
const folder = await mkdtemp(join(tmpdir(), 'polyvisor-hinder-'))
const path = process.env['PATH'] ?? ''
process.env['PATH'] = `${folder}:${path}`
const { TEST_MS } = await import('./world.ts')
const { breakSnapshot, execute, held, SnapshotScene } = await import('./snapshot-scene.ts')

const scene = new SnapshotScene()
const { snapshots, take, withDisks, write, read } = scene
after(() => rm(folder, { recursive: true, force: true }))

/** A `qemu-img` that goes back to no other snapshot than the one that is named in `allowed`. */
const HINDERED = `#!/bin/sh
[ "$3" = -a ] && [ -e ${folder}/allowed ] && [ "$4" != "$(cat ${folder}/allowed)" ] && { echo hindered >&2; exit 1; }
PATH=${path} exec qemu-img "$@"
`
await writeFile(join(folder, 'qemu-img'), HINDERED, { mode: 0o755 })

test('a disk that cannot be made again what it was keeps that in a snapshot, which is named', {
  timeout: TEST_MS,
}, async () => {
  const { id, volumes } = await withDisks()
  const { id: snapshot } = await take(id)
  for (const volume of volumes) await write(volume, 'after')
  await breakSnapshot(volumes[1])
  await writeFile(join(folder, 'allowed'), snapshot)

  const failure = String(
    await snapshots()
      .revert(id, snapshot)
      .catch((error: unknown) => error),
  )
  await rm(join(folder, 'allowed'))
  const [, undo = ''] = /hindered.*; what it was is its snapshot ([0-9a-f-]{36})\)/s.exec(failure) ?? []
  await scene.world.reconnect()

  assert.deepEqual(await held([volumes[0]]), [[snapshot, undo]], failure)
  await execute('qemu-img', ['snapshot', '-a', undo, volumes[0].location])
  assert.equal(await read(volumes[0]), 'after')
})
