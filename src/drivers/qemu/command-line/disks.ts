import { type BootDevice, type DiskConfig, type DomainConfig, DriverError } from '../../driver.ts'
import type { Definition } from '../definition.ts'
import { byDevice, diskName, isEmulated, placeOf, type Slots } from '../slots.ts'
import { device, type Properties } from './option.ts'

/** IDE has two channels of two drives each. Source: PIIX3. */
const IDE_DRIVES_MAX = 4
/** Source: the floppy controller of a PC. */
const FLOPPY_DRIVES_MAX = 2

type Kind = NonNullable<DiskConfig['kind']>

const kindOf = ({ kind = 'disk' }: DiskConfig): Kind => kind

/** The disks and drives with what lies in them. Throws as `refused` what the machine has no room for. */
export function diskArguments({ config, slots }: Definition): string[] {
  const disks = config.disks.toSorted(byDevice)
  const ide = disks.filter(disk => isEmulated(disk) && kindOf(disk) !== 'floppy')
  const floppies = disks.filter(disk => kindOf(disk) === 'floppy')
  assertRoom('emulated disks', ide.length, IDE_DRIVES_MAX)
  assertRoom('floppy drives', floppies.length, FLOPPY_DRIVES_MAX)
  const order = bootOrder(config)
  return [
    ...disks.flatMap(disk => {
      const place = isEmulated(disk) ? boardPlace(disk, ide, floppies) : virtioPlace(disk, slots)
      const bootindex = kindOf(disk) === 'floppy' ? undefined : order.get(disk)
      const medium = disk.location === '' ? [] : ['-blockdev', JSON.stringify(blockNode(disk))]
      return [...medium, ...device({ ...place, ...(bootindex !== undefined && { bootindex }) })]
    }),
    ...floppies.flatMap((floppy, unit) => floppyOrder(unit, order.get(floppy))),
  ]
}

function assertRoom(what: string, count: number, countMax: number): void {
  if (count > countMax) throw new DriverError('refused', `${count} ${what}; there is room for ${countMax}`)
}

/**
 * The place of each in the order of boot, from 1: first the devices that the definition names, then the disks, as a PC
 * does where such a device is missing or holds nothing bootable.
 */
function bootOrder({ boot, disks }: DomainConfig): ReadonlyMap<DiskConfig, number> {
  if (boot.kind !== 'firmware') return new Map()
  const rank = (kind: Kind): number => [...new Set<BootDevice>([boot.device, 'disk'])].indexOf(kind)
  const bootable = disks.filter(disk => rank(kindOf(disk)) >= 0)
  const ordered = bootable.toSorted((a, b) => rank(kindOf(a)) - rank(kindOf(b)) || byDevice(a, b))
  return new Map(ordered.map((disk, index) => [disk, index + 1]))
}

/** The floppy controller, on the board, has the order of its drives. */
function floppyOrder(unit: number, bootindex: number | undefined): string[] {
  if (bootindex === undefined) return []
  return ['-global', `isa-fdc.bootindex${unit === 0 ? 'A' : 'B'}=${bootindex}`]
}

/** The device of a paravirtualised disk, for the command line and for plugging it in. */
export function virtioPlace(disk: DiskConfig, slots: Slots): Properties {
  const name = diskName(disk.id)
  return { driver: 'virtio-blk-pci', id: name, ...placeOf(slots, name), ...medium(disk) }
}

function boardPlace(disk: DiskConfig, ide: readonly DiskConfig[], floppies: readonly DiskConfig[]): Properties {
  const id = diskName(disk.id)
  if (kindOf(disk) === 'floppy') return { driver: 'floppy', id, unit: floppies.indexOf(disk), ...medium(disk) }
  if (kindOf(disk) === 'disk' && disk.readOnly) {
    throw new DriverError('refused', `disk ${disk.device}: an emulated (IDE) disk cannot be read-only`)
  }
  const position = ide.indexOf(disk)
  const driver = kindOf(disk) === 'cdrom' ? 'ide-cd' : 'ide-hd'
  return { driver, id, bus: `ide.${Math.floor(position / 2)}`, unit: position % 2, ...medium(disk) }
}

function medium(disk: DiskConfig): Properties {
  if (disk.location === '') return {}
  return { drive: diskName(disk.id), ...(disk.shared === true && { 'share-rw': true }) }
}

/** The block node of an image. */
export function blockNode(disk: DiskConfig): Properties & { readonly 'node-name': string } {
  const readOnly = disk.readOnly || disk.kind === 'cdrom'
  return {
    'node-name': diskName(disk.id),
    driver: disk.format,
    'read-only': readOnly,
    file: { driver: 'file', filename: disk.location, 'read-only': readOnly },
  }
}
