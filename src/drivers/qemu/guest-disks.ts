import type { QgaDiskAddress } from '../../protocols/qga/file-systems.ts'
import type { DiskConfig, GuestDiskPlace } from '../driver.ts'
import type { Definition } from './definition.ts'
import { byDevice, diskName, isEmulated } from './slots.ts'

/** The function of the PIIX3, in slot 1, that is its controller of IDE. Source: QEMU hw/i386/pc_piix.c. */
const IDE = { slot: 1, function: 1 } as const

/** What a guest says of where a disk is, with the disk that is there, if one is. */
export function diskAt(place: QgaDiskAddress, living: Pick<Definition, 'config' | 'slots'>): GuestDiskPlace {
  const { serial, device } = place
  const id = idAt(place, living)
  return {
    ...(id !== undefined && { id }),
    ...(serial !== undefined && { serial }),
    ...(device !== undefined && { device }),
  }
}

function idAt(
  place: QgaDiskAddress,
  { config, slots }: Pick<Definition, 'config' | 'slots'>,
): DiskConfig['id'] | undefined {
  if (place.domain !== 0 || place.bus !== 0) return undefined
  if (place.slot === IDE.slot && place.function === IDE.function) {
    const drives = config.disks.filter(disk => isEmulated(disk) && disk.kind !== 'floppy').toSorted(byDevice)
    return drives[place.channel * 2 + place.unit]?.id
  }
  if (place.function !== 0) return undefined
  return config.disks.find(disk => !isEmulated(disk) && slots[diskName(disk.id)] === place.slot)?.id
}
