import type { DriveBus, HostKind } from './host-kind.ts'
import type { Reading } from './reading.ts'

/** Where a drive sits. */
interface Place {
  readonly controller: number
  readonly bus: number
  readonly unit: number
}

const PREFIXES: Readonly<Record<string, DriveBus>> = { hd: 'ide', sd: 'scsi', fd: 'fdc' }
/** Names of drives are no longer than `xvdzzz`. */
const LETTERS_MAX = 3

/** The number of a drive by its name: `hda` is 0, `sdaa` 26; undefined for a name without letters at its end. */
function driveNumber(letters: string): number | undefined {
  if (letters === '' || letters.length > LETTERS_MAX || !/^[a-z]+$/.test(letters)) return undefined
  return letters.split('').reduce((number, letter) => (number + 1) * 26 + letter.charCodeAt(0) - 97, -1)
}

/** Where a drive of this name sits on its bus, where the name tells. Source: libvirt, virDomainDiskDefAssignAddress. */
export function placeOf(device: string, bus: string, { places }: HostKind): Place | undefined {
  const own = PREFIXES[device.slice(0, 2)]
  const shape = own === bus ? places[own] : undefined
  const number = driveNumber(device.slice(2))
  if (shape === undefined || number === undefined) return undefined
  const { rows, units } = shape
  const [controller, rest] = [Math.floor(number / (rows * units)), number % (rows * units)]
  return { controller, bus: Math.floor(rest / units), unit: rest % units }
}

/**
 * Reads the `<address>` of a drive: where the host puts a drive of its name anyway, or where libvirt does, which has
 * two rows of two on one controller of IDE. Another is refused; one on a bus that has no such places is the host's.
 */
export function readPlace(disk: Reading, device: string, bus: string, kind: HostKind): void {
  const address = disk.child('address')
  if (address === undefined) return
  const type = address.attribute('type')
  const names = ['controller', 'bus', 'target', 'unit'] as const
  if (type !== 'drive') {
    for (const name of ['domain', 'bus', 'slot', 'function', 'multifunction', 'port', 'cssid', 'ssid', 'devno']) {
      address.attribute(name)
    }
    if (type !== 'pci' && type !== 'usb') address.refuse('/@type', type ?? '')
    return
  }
  const [controller, row, target, unit] = names.map(name => Number(address.attribute(name) ?? '0'))
  const place = placeOf(device, bus, kind)
  if (place === undefined) return
  const isIde = bus === 'ide' && target === 0
  const same = isIde ? (controller ?? 0) * 2 + (row ?? 0) : controller
  const wanted = isIde ? place.controller * 2 + place.bus : place.controller
  if (same === wanted && unit === place.unit && (isIde || (row === place.bus && target === 0))) return
  const told = names.map(name => address.attribute(name) ?? '0').join(':')
  address.refuse('', told, `a drive ${device} is at ${place.controller}:${place.bus}:0:${place.unit}`)
}
