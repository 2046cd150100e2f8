import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BootConfig, type DiskConfig, type DomainConfig, DriverError } from '../../driver.ts'
import { partialPath } from '../files.ts'
import { byDevice } from '../slots.ts'
import { GuestDisk } from './disk.ts'
import type { GuestNode } from './file-system.ts'
import { defaultEntry, type GrubMenu, MENUS, toCommandLine } from './grub-menu.ts'
import { openImage } from './image.ts'
import { damaged } from './reader.ts'

/** A boot for which a kernel is taken from the guest's disk. */
type GuestBoot = Extract<BootConfig, { readonly kind: 'guest-kernel' | 'guest-grub' }>

/** What was taken from a guest's disk. QEMU has no need of the files once it answers. */
export interface TakenBoot {
  readonly boot: Extract<BootConfig, { readonly kind: 'kernel' }>
  /** Removes the files. */
  discard(): Promise<void>
}

const MIB = 1_048_576
const KERNEL_BYTES_MAX = 64 * MIB
/** Of all that a menu's entry loads together. */
const INITRD_BYTES_MAX = 512 * MIB
/** More than twice what a kernel takes for x86. */
const CMDLINE_BYTES_MAX = 4096
/** What a search for kernel and initrd may take in all, whatever a guest has made of its disk. */
const LOAD_MS = 180_000

/**
 * Takes kernel and initrd out of a guest's first disk, into files of mode 0600 in `folder`, and says what is to be booted;
 * undefined for a domain that boots otherwise. The domain must not run. Rejects as `refused`, naming what is missing or
 * wrong on the disk, and leaves no file then.
 */
export async function takeFromGuest(
  { boot, disks }: Pick<DomainConfig, 'boot' | 'disks'>,
  folder: string,
  signal?: AbortSignal,
): Promise<TakenBoot | undefined> {
  if (boot.kind !== 'guest-kernel' && boot.kind !== 'guest-grub') return undefined
  const first = firstDisk(disks)
  const deadline = AbortSignal.timeout(LOAD_MS)
  const limit = signal === undefined ? deadline : AbortSignal.any([deadline, signal])
  const files = { kernel: partialPath(join(folder, 'kernel')), initrd: partialPath(join(folder, 'initrd')) }
  const discard = async () => void (await Promise.all(Object.values(files).map(path => rm(path, { force: true }))))
  const image = await openImage(first.location, first.format, limit)
  try {
    const disk = await GuestDisk.open(image.disk)
    const { kernel, initrds, cmdline } = await (boot.kind === 'guest-grub' ? byMenu(disk, boot) : byPath(disk, boot))
    assertCommandLine(cmdline)
    await write(files.kernel, [kernel], KERNEL_BYTES_MAX, assertLinux)
    if (initrds.length > 0) await write(files.initrd, initrds, INITRD_BYTES_MAX)
    const initrd = initrds.length > 0 ? files.initrd : null
    return { boot: { kind: 'kernel', kernel: files.kernel, initrd, cmdline }, discard }
  } catch (error) {
    await discard()
    throw error
  } finally {
    await image.close()
  }
}

interface Taken {
  readonly kernel: GuestNode
  readonly initrds: readonly GuestNode[]
  readonly cmdline: string
}

function firstDisk(disks: readonly DiskConfig[]): DiskConfig {
  const [first] = disks.filter(({ kind = 'disk', location }) => kind === 'disk' && location !== '').toSorted(byDevice)
  if (first === undefined) throw new DriverError('refused', 'there is no disk to take a kernel from')
  return first
}

async function byPath(disk: GuestDisk, boot: Extract<GuestBoot, { kind: 'guest-kernel' }>): Promise<Taken> {
  const take = async (path: string) => {
    const found = await disk.find(path)
    if (found === undefined) throw damaged(`there is no file ${path} (${disk.description})`)
    return found.node
  }
  const initrds = boot.initrd === null ? [] : [await take(boot.initrd)]
  return { kernel: await take(boot.kernel), initrds, cmdline: boot.cmdline }
}

async function byMenu(disk: GuestDisk, boot: Extract<GuestBoot, { kind: 'guest-grub' }>): Promise<Taken> {
  const menu = await findMenu(disk)
  if (menu === undefined) throw damaged(`there is no menu of GRUB (${disk.description})`)
  const { device, kernel, words, initrds } = await defaultEntry(disk, menu)
  const take = async (name: string) => {
    const [, spelled, path = ''] = /^(?:\(([^)]*)\))?(.*)$/s.exec(name) ?? []
    const node = (await disk.at(spelled ?? device, path))?.node
    if (node?.kind !== 'file') throw damaged(`there is no file ${name}, which GRUB's menu names (${disk.description})`)
    return node
  }
  const cmdline = [toCommandLine(words), boot.cmdline].filter(text => text !== '').join(' ')
  const taken: GuestNode[] = []
  for (const initrd of initrds) taken.push(await take(initrd))
  return { kernel: await take(kernel), initrds: taken, cmdline }
}

async function findMenu(disk: GuestDisk): Promise<GrubMenu | undefined> {
  for (const menu of MENUS) {
    for (const { device } of disk.volumes) {
      const found = await disk.look(device, `${menu.folder}/${menu.file}`)
      if (found !== undefined && !found.isFolder) return { ...menu, device }
    }
  }
  return undefined
}

function assertCommandLine(cmdline: string): void {
  if (/\p{Cc}/u.test(cmdline)) throw damaged("the kernel's command line has control characters")
  const bytes = Buffer.byteLength(cmdline)
  if (bytes > CMDLINE_BYTES_MAX) throw damaged(`the kernel's command line has ${bytes} bytes`)
}

/** What of a kernel tells what it is. Source: Linux, Documentation/x86/boot. */
const KERNEL_HEAD_BYTES = 0x206

/** Only Linux is handed to QEMU, which would try to load other things too. */
async function assertLinux(kernel: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await kernel.read(Buffer.alloc(KERNEL_HEAD_BYTES), 0, KERNEL_HEAD_BYTES, 0)
  const isLinux = buffer.readUInt16LE(0x1fe) === 0xaa55 && buffer.toString('latin1', 0x202) === 'HdrS'
  if (bytesRead < KERNEL_HEAD_BYTES || !isLinux) throw damaged('the kernel is no Linux kernel')
}

/** Writes files one after the other into one; initrds are read so. */
async function write(
  path: string,
  nodes: readonly GuestNode[],
  bytesMax: number,
  look: (file: FileHandle) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const file = await open(path, 'wx+', 0o600)
  try {
    let bytes = 0
    for (const node of nodes) {
      for await (const piece of node.content(bytesMax - bytes)) {
        await file.writeFile(piece)
        bytes += piece.length
      }
    }
    if (bytes === 0) throw damaged('a kernel or initrd is empty')
    await look(file)
  } finally {
    await file.close()
  }
}
