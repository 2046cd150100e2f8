import { integerMember, type JsonObject, JsonShapeError, stringMember, toJsonObject } from '../../protocols/qmp/json.ts'
import { type DomainConfig, DriverError } from '../driver.ts'
import { parseConfig } from '../definition-config.ts'
import { faultOfLimits } from '../disk-limits.ts'
import { type ImageKey, relocated } from './images.ts'
import { isDomainId } from './layout.ts'
import { assertNic } from './nics.ts'
import { type Slots, slotsOf } from './slots.ts'

/** What is kept of a domain: what it was defined as, and what must stay as it was at the first definition. */
export interface Definition {
  readonly config: DomainConfig
  /** The versioned machine type, such as `pc-i440fx-7.2`: the guest's hardware does not change with a newer QEMU. */
  readonly machine: string
  /** Places on the PCI bus; of a domain that runs also those of devices that only the machine still has. */
  readonly slots: Slots
}

const FORMAT = 1

/** The text of a definition's file. */
export function serialise({ config, machine, slots }: Definition): string {
  return `${JSON.stringify({ format: FORMAT, machine, slots, config }, null, 2)}\n`
}

/** Reads a definition's file. Throws JsonShapeError or SyntaxError where it holds none. */
export function parse(text: string): Definition {
  const object = toJsonObject(JSON.parse(text), 'the definition')
  const format = integerMember(object, 'format')
  if (format !== FORMAT) throw new JsonShapeError(`format is ${format}; known is ${FORMAT}`)
  const config = parseConfig(toJsonObject(object['config'], 'config'))
  // Without slots QEMU gave them out itself, in the same order.
  const slots = object['slots'] === undefined ? slotsOf(config) : parseSlots(toJsonObject(object['slots'], 'slots'))
  return { machine: stringMember(object, 'machine'), config, slots }
}

const parseSlots = (object: JsonObject): Slots =>
  Object.fromEntries(Object.keys(object).map(name => [name, integerMember(object, name)]))

/**
 * Rejects as `refused` a definition that could not be kept or handed to QEMU. What a start alone can tell, such as a
 * missing file, is not looked at.
 */
export function assertDefinable(config: DomainConfig): void {
  if (!isDomainId(config.id)) throw refused(`the id ${JSON.stringify(config.id)} is no UUID in lower case`)
  const { memoryBytes, memoryTargetBytes = memoryBytes, vcpus } = config
  for (const bytes of [memoryBytes, memoryTargetBytes]) {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw refused(`${bytes} bytes cannot be a domain's memory`)
  }
  if (!Number.isSafeInteger(vcpus) || vcpus < 1) throw refused(`${vcpus} cannot be a number of CPUs`)
  for (const text of textsIn(config)) {
    if (text.includes('\0')) throw refused(`${JSON.stringify(text)} has a zero byte in it`)
  }
  for (const path of pathsOf(config)) {
    if (!path.startsWith('/')) throw refused(`${JSON.stringify(path)} is no absolute path`)
  }
  config.nics?.forEach(assertNic)
  for (const { device, limits = {} } of config.disks) {
    const fault = faultOfLimits(limits)
    if (fault !== undefined) throw refused(`disk ${device}: ${fault}`)
  }
  assertDifferent('disks', config.disks)
  assertDifferent('network interfaces', config.nics ?? [])
}

const refused = (message: string) => new DriverError('refused', message)

function assertDifferent(what: string, devices: readonly { readonly id: string }[]): void {
  if (new Set(devices.map(({ id }) => id)).size < devices.length) throw refused(`two ${what} have the same id`)
}

/** All texts of a definition, since each may get to QEMU's command line. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

/** The files on the host that a start needs. */
function pathsOf({ boot, disks }: DomainConfig): string[] {
  const booting = boot.kind === 'kernel' ? [boot.kernel, ...(boot.initrd === null ? [] : [boot.initrd])] : []
  const images = disks.filter(({ location }) => location !== '')
  return [...booting, ...images.map(disk => disk.location)]
}

/** The definition with `place` where a disk names this image. */
export function withRelocated(definition: Definition, image: ImageKey, place: string): Definition {
  const disks = definition.config.disks.map(disk => relocated(disk, image, place))
  return { ...definition, config: { ...definition.config, disks } }
}
