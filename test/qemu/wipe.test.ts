import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { promisify } from 'node:util'
import type { RepositoryConfig, StorageOps } from '../../src/drivers/driver.ts'
import { World } from './world.ts'

const MIB = 1_048_576
const execute = promisify(execFile)

let world: World
let repository: RepositoryConfig
beforeEach(async () => {
  world = await World.open()
  repository = { type: 'dir', location: join(world.dataDir, 'sr') }
  await storage().openRepository(repository)
})
afterEach(() => world.close())

function storage(): StorageOps & Required<Pick<StorageOps, 'wipeVolume'>> {
  const { storage: ops } = world.driver
  const wipeVolume = ops?.wipeVolume?.bind(ops)
  assert(ops !== undefined && wipeVolume !== undefined)
  return { ...ops, wipeVolume }
}

/** An image full of sevens, as far as this. */
async function filled(name: string, format: 'raw' | 'qcow2', mebibytes: number) {
  const volume = await storage().createVolume(repository, { name, format, virtualBytes: 8 * MIB })
  await execute('qemu-io', ['-f', format, '-c', `write -P 7 0 ${mebibytes}M`, volume.location])
  return storage().getVolume(volume.location)
}

test('of a qcow2 image an empty one of its size is left, and of the file that it was nothing', async () => {
  const image = await filled('disk', 'qcow2', 3)
  const file = await open(image.location)

  await storage().wipeVolume(image.location)

  const before = await file.readFile()
  await file.close()
  assert(before.length > 3 * MIB)
  assert(before.equals(Buffer.alloc(before.length)))
  const { virtualBytes, physicalBytes, format } = await storage().getVolume(image.location)
  assert.deepEqual({ virtualBytes, format }, { virtualBytes: image.virtualBytes, format: 'qcow2' })
  assert(physicalBytes < MIB)
  await execute('qemu-img', ['check', image.location])
  await execute('qemu-io', ['-f', 'qcow2', '-c', 'read -P 0 0 8M', image.location])
  assert.deepEqual(await readdir(repository.location), ['disk.qcow2'])
})

test('a raw image weighs no more when it is wiped, however sparse it is', async () => {
  const image = await filled('disk', 'raw', 2)
  await execute('qemu-io', ['-f', 'raw', '-c', 'write -P 7 5M 512', image.location])
  const { physicalBytes } = await storage().getVolume(image.location)

  await storage().wipeVolume(image.location)

  assert((await readFile(image.location)).equals(Buffer.alloc(8 * MIB)))
  assert.equal((await storage().getVolume(image.location)).physicalBytes, physicalBytes)
})

test('an image whose wiping is stopped is an image still, and is told to be wiped in part', async () => {
  for (const format of ['raw', 'qcow2'] as const) {
    const image = await filled(`disk-${format}`, format, 8)
    const controller = new AbortController()
    const stop = (share: number) => (share > 0.3 ? controller.abort() : undefined)
    const { signal } = controller

    await assert.rejects(storage().wipeVolume(image.location, { signal, onProgress: stop }), {
      kind: 'refused',
      message: /from byte \d+ on .* holds what it held, before that it is wiped/,
    })

    assert.deepEqual(await storage().getVolume(image.location), image)
    const bytes = await readFile(image.location)
    assert(bytes.subarray(MIB, 2 * MIB).equals(Buffer.alloc(MIB)))
    assert(bytes.subarray(-MIB).equals(Buffer.alloc(MIB, 7)))
    await storage().wipeVolume(image.location)
    await storage().deleteVolume(image.location)
  }
})

test('the image of a CD is not wiped', async () => {
  const location = join(repository.location, 'tools.iso')
  await writeFile(location, 'a CD')

  await assert.rejects(storage().wipeVolume(location), { kind: 'refused', message: /image of a CD/ })

  assert.equal(await readFile(location, 'latin1'), 'a CD')
})
