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
 * Reads the `<address>` of a drive: where the host puts a drive of its name anyway. libvirt has two rows of two drives on
 * one controller of IDE; where a host has two controllers instead, both ways of saying it are taken. Another place is
 * refused; on a bus that has no such places it is the host's.
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
  const [controller = 0, row = 0, target = 0, unit = 0] = names.map(name => Number(address.attribute(name) ?? '0'))
  const place = placeOf(device, bus, kind)
  const shape = kind.places[PREFIXES[device.slice(0, 2)] ?? 'ide']
  if (place === undefined || shape === undefined) return
  const count = (at: Place) => (at.controller * shape.rows + at.bus) * shape.units + at.unit
  if (target === 0 && unit < shape.units && count({ controller, bus: row, unit }) === count(place)) return
  const told = names.map(name => address.attribute(name) ?? '0').join(':')
  address.refuse('', told, `a drive ${device} is at ${place.controller}:${place.bus}:0:${place.unit}`)
}
