import type { DriveBus, HostKind, Places } from './host-kind.ts'
import { lookup } from './lookup.ts'
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

/** The number of a drive on its bus, and how that bus counts; undefined where the name of the drive does not tell. */
function countOf(
  device: string,
  bus: string,
  { places }: HostKind,
): (Places & { readonly number: number }) | undefined {
  const own = lookup(PREFIXES, device.slice(0, 2))
  const shape = own === bus ? places[own] : undefined
  const number = driveNumber(device.slice(2))
  return shape === undefined || number === undefined ? undefined : { ...shape, number }
}

/**
 * The place that can be told of a drive. A machine that boots from IDE alone has its first disk there, whichever bus its
 * name is of; so of the first on SCSI nothing is told. Source: libvirt, virDomainDiskDefAssignAddress.
 */
export function placeOf(device: string, bus: string, kind: HostKind): Place | undefined {
  const count = bus === 'scsi' && device === 'sda' ? undefined : countOf(device, bus, kind)
  return count && placeAt(count)
}

function placeAt({ rows, units, number }: Places & { readonly number: number }): Place {
  const rest = number % (rows * units)
  return { controller: Math.floor(number / (rows * units)), bus: Math.floor(rest / units), unit: rest % units }
}

/**
 * Reads the `<address>` of a drive: where the host puts a drive of its name anyway. libvirt has two rows of two drives on
 * one controller of IDE; where a host has two controllers instead, both ways of saying it are taken. Another place is
 * refused; on a bus that has no such places it is the host's.
 */
export function readPlace(disk: Reading, device: string, bus: string, kind: HostKind): void {
  const count = countOf(device, bus, kind)
  const most = count?.controllers === undefined ? undefined : count.controllers * count.rows * count.units
  if (most !== undefined && count !== undefined && count.number >= most) {
    disk.refuse('/target/@dev', device, `a machine has ${most} places on ${bus}`)
  }
  const address = disk.child('address')
  if (address === undefined) return
  const type = address.attribute('type') ?? ''
  if (type !== 'drive') return readElsewhere(address, type)
  const told = ['controller', 'bus', 'target', 'unit'].map(name => address.attribute(name) ?? '0')
  const [controller = 0, row = 0, target = 0, unit = 0] = told.map(Number)
  if (count === undefined) return
  const isSame = (controller * count.rows + row) * count.units + unit === count.number
  if (isSame && target === 0 && unit < count.units) return
  const place = placeAt(count)
  address.refuse('', told.join(':'), `a drive ${device} is at ${place.controller}:${place.bus}:0:${place.unit}`)
}

/** On buses of which hosts here choose the places. */
function readElsewhere(address: Reading, type: string): void {
  if (type !== 'pci' && type !== 'usb') address.refuse('/@type', type)
  for (const name of ['domain', 'bus', 'slot', 'function', 'multifunction', 'port']) address.attribute(name)
}
