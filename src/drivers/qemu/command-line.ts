import { type DiskConfig, type DomainConfig, DriverError } from '../driver.ts'
import type { Accelerator } from './accelerator.ts'
import type { Definition } from './definition.ts'
import type { DomainFiles } from './layout.ts'

/** A guest's memory is rounded up to this; QEMU itself would round to 8 KiB, and take 0 for its default. */
export const MEMORY_GRANULARITY_BYTES = 1_048_576

/** What, beside the definition, decides how QEMU is called. */
export interface StartConditions {
  readonly files: DomainFiles
  readonly accelerator: Accelerator
  /** Whether the guest must not execute anything yet. */
  readonly isPaused: boolean
}

/**
 * The arguments that make QEMU run a domain. Rejects as `refused` what the machine has no room for. Where QEMU takes
 * JSON, it gets JSON, so that no character of a path means anything; elsewhere commas are doubled.
 * Source: qemu-system(1) of QEMU 7.2.
 */
export function commandLine({ config, machine }: Definition, conditions: StartConditions): string[] {
  const { files, accelerator, isPaused } = conditions
  return [
    ['-machine', machine, '-accel', accelerator, ...(accelerator === 'kvm' ? ['-cpu', 'host'] : [])],
    ['-nodefaults', '-no-user-config', '-display', 'none'],
    ['-name', `guest=${doubleCommas(config.name)}`, '-uuid', config.id],
    ['-m', `${memoryMib(config)}M`, '-smp', `${config.vcpus}`],
    ['-action', 'reboot=reset,shutdown=poweroff,panic=shutdown'],
    // A guest that sleeps (S3) or saves itself (S4) would be in a state that the contract has no word for.
    ['-global', 'PIIX4_PM.disable_s3=1', '-global', 'PIIX4_PM.disable_s4=1'],
    ['-pidfile', files.pid],
    monitor('qmp', files.qmp),
    monitor('rescue', files.rescue),
    serialPort(files),
    device({ driver: 'pvpanic' }),
    bootArguments(config),
    diskArguments(config),
    isPaused ? ['-S'] : [],
  ].flat()
}

/** The files of images in a command line that `commandLine` made. */
export function imagesIn(commandArguments: readonly string[]): string[] {
  return commandArguments.flatMap((argument, index) => {
    if (commandArguments[index - 1] !== '-blockdev') return []
    const node: unknown = JSON.parse(argument)
    return isBlockNode(node) ? [node.file.filename] : []
  })
}

function isBlockNode(value: unknown): value is { readonly file: { readonly filename: string } } {
  if (typeof value !== 'object' || value === null || !('file' in value)) return false
  const { file } = value
  return typeof file === 'object' && file !== null && 'filename' in file && typeof file.filename === 'string'
}

const doubleCommas = (text: string): string => text.replaceAll(',', ',,')

const device = (properties: Readonly<Record<string, unknown>>): string[] => ['-device', JSON.stringify(properties)]

function memoryMib({ memoryBytes }: DomainConfig): number {
  return Math.max(1, Math.ceil(memoryBytes / MEMORY_GRANULARITY_BYTES))
}

function monitor(id: string, path: string): string[] {
  const socket = `socket,id=${id},path=${doubleCommas(path)},server=on,wait=off`
  return ['-chardev', socket, '-mon', `chardev=${id},mode=control`]
}

function serialPort({ serialSocket, serialLog }: DomainFiles): string[] {
  const socket = `socket,id=serial0,path=${doubleCommas(serialSocket)},server=on,wait=off`
  return [
    '-chardev',
    `${socket},logfile=${doubleCommas(serialLog)},logappend=on`,
    ...device({ driver: 'isa-serial', id: 'serial0', chardev: 'serial0', index: 0 }),
  ]
}

/**
 * Disks carry their own place in the order of boot (`diskArguments`). Other devices have a letter; a machine without
 * such a device, or with nothing bootable in it, goes on to its disks, as a PC does.
 */
function bootArguments({ boot }: DomainConfig): string[] {
  if (boot.kind === 'firmware') {
    return boot.device === 'disk' ? [] : ['-boot', `order=${boot.device === 'floppy' ? 'a' : 'd'}`]
  }
  if (boot.kind !== 'kernel') throw new DriverError('refused', `booting from a ${boot.kind} is not known yet`)
  const initrd = boot.initrd === null ? [] : ['-initrd', boot.initrd]
  return ['-kernel', boot.kernel, ...initrd, '-append', boot.cmdline]
}

/** IDE has two channels of two drives each. Source: PIIX3. */
const EMULATED_DISKS_MAX = 4
/** Slots of the PCI bus that bridge, IDE, and power management leave free. Source: measured with QEMU 7.2. */
const PARAVIRTUALISED_DISKS_MAX = 28

function diskArguments({ boot, disks }: DomainConfig): string[] {
  const ordered = disks.toSorted(byDevice)
  const emulated = ordered.filter(disk => disk.bus === 'emulated')
  if (emulated.length > EMULATED_DISKS_MAX) {
    throw new DriverError('refused', `${emulated.length} emulated disks; there is room for ${EMULATED_DISKS_MAX}`)
  }
  const others = ordered.length - emulated.length
  if (others > PARAVIRTUALISED_DISKS_MAX) {
    throw new DriverError('refused', `${others} paravirtualised disks; there is room for ${PARAVIRTUALISED_DISKS_MAX}`)
  }
  const bootsFromDisk = boot.kind === 'firmware' && boot.device === 'disk'
  return ordered.flatMap((disk, index) => {
    const node = `disk${index}`
    const place = disk.bus === 'emulated' ? idePlace(disk, emulated.indexOf(disk)) : { driver: 'virtio-blk-pci' }
    const order = bootsFromDisk ? { bootindex: index + 1 } : {}
    return ['-blockdev', blockNode(disk, node), ...device({ ...place, id: `device-${node}`, drive: node, ...order })]
  })
}

/** Shorter names first, so that `sdz` comes before `sdaa`. */
function byDevice(a: DiskConfig, b: DiskConfig): number {
  return a.device.length - b.device.length || (a.device < b.device ? -1 : Number(a.device > b.device))
}

function idePlace(disk: DiskConfig, position: number): Readonly<Record<string, unknown>> {
  if (disk.readOnly) {
    throw new DriverError('refused', `disk ${disk.device}: an emulated (IDE) disk cannot be read-only`)
  }
  return { driver: 'ide-hd', bus: `ide.${Math.floor(position / 2)}`, unit: position % 2 }
}

function blockNode({ format, location, readOnly }: DiskConfig, node: string): string {
  return JSON.stringify({
    'node-name': node,
    driver: format,
    'read-only': readOnly,
    file: { driver: 'file', filename: location, 'read-only': readOnly },
  })
}
