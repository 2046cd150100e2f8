import { truncate } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DriverError, type Volume } from '../driver.ts'
import { assertActive } from './active-images.ts'
import { assertHoldsNoSnapshots } from './held-snapshots.ts'
import { assertClosed, noteOpen } from './open-images.ts'
import { runProgram } from './qemu-img.ts'
import { assertNoOthers, type RunningImage, runningWith } from './running-image.ts'
import type { StorageTools } from './storage-tools.ts'
import { assertSize, assertWritable, type Image, inUse, readImage, toSectors } from './volume.ts'

/** Grows an image, by the QEMU that has it where one does; see `StorageOps.resizeVolume`. */
export async function resizeVolume(tools: StorageTools, location: string, virtualBytes: number): Promise<Volume> {
  assertSize(virtualBytes)
  await readImage(location)
  return tools.folders.inOrder(dirname(location), async () => {
    const image = await readImage(location)
    const { volume } = image
    assertWritable(volume, 'resized')
    assertClosed(image.key, location)
    const bytes = toSectors(virtualBytes)
    if (bytes < volume.virtualBytes) {
      throw new DriverError('refused', `${location} has ${volume.virtualBytes} bytes and cannot shrink`)
    }
    if (bytes > volume.virtualBytes) await grow(tools, image, bytes)
    return (await readImage(location)).volume
  })
}

/** Makes an image smaller; see `StorageOps.shrinkVolume`. */
export async function shrinkVolume(tools: StorageTools, location: string, virtualBytes: number): Promise<Volume> {
  assertSize(virtualBytes)
  await readImage(location)
  return tools.folders.inOrder(dirname(location), async () => {
    const { volume, key } = await readImage(location)
    assertWritable(volume, 'resized')
    const bytes = toSectors(virtualBytes)
    if (bytes > volume.virtualBytes) {
      throw new DriverError('refused', `${location} has ${volume.virtualBytes} bytes, which are fewer than ${bytes}`)
    }
    // Open until it is smaller, so that no domain starts with it.
    const release = noteOpen(key, location, 'write')
    try {
      if (tools.inventory.users(key).length > 0) throw inUse(location)
      assertHoldsNoSnapshots(tools.inventory, key, location)
      if (volume.format === 'raw') await truncate(location, bytes)
      else await tools.qemuImg.shrink(location, volume.format, bytes)
    } finally {
      release()
    }
    return (await readImage(location)).volume
  })
}

/** Gives a raw image its place; see `StorageOps.allocateVolume`. By the program, for Node has no such call. */
export async function allocateVolume(tools: StorageTools, location: string, bytes: number): Promise<void> {
  assertSize(bytes)
  await readImage(location)
  await tools.folders.inOrder(dirname(location), async () => {
    const { volume } = await readImage(location)
    assertWritable(volume, 'allocated')
    if (volume.format !== 'raw') throw new DriverError('refused', `${location} is no raw image`)
    await runProgram('fallocate', ['--keep-size', '--length', `${toSectors(bytes)}`, '--', location], {})
  })
}

async function grow(tools: StorageTools, image: Image, bytes: number): Promise<void> {
  const { inventory } = tools
  const users = inventory.users(image.key)
  await inventory.holding(users, async () => {
    const running = await runningWith(users, image)
    assertNoOthers(inventory.users(image.key), running)
    const sleeper = inventory.users(image.key).find(({ summary }) => summary.state === 'suspended')
    if (sleeper !== undefined) throw badState(`${sleeper.id} is suspended with ${image.volume.location}`)
    const [first, ...others] = running
    if (first === undefined) return growFile(tools, image, bytes)
    if (others.length > 0) throw badState(`${first.domain.id} is not alone in running with ${image.volume.location}`)
    await growLive(first, image, bytes)
  })
}

const badState = (message: string) => new DriverError('bad-state', `domain ${message}`)

function growFile({ qemuImg }: StorageTools, { volume: { location, format } }: Image, bytes: number): Promise<void> {
  return format === 'raw' ? truncate(location, bytes) : qemuImg.resize(location, format, bytes)
}

/** QEMU grows the file as well. A virtual disk tells its guest at once; others are asked when the guest looks. */
async function growLive({ domain, machine, node, isReadOnly }: RunningImage, { volume }: Image, bytes: number) {
  if (isReadOnly) throw badState(`${domain.id} runs with ${volume.location} and may only read it`)
  await assertActive(machine)
  await machine.execute('block_resize', { 'node-name': node, size: bytes })
}
