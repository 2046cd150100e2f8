import {
  arrayMember,
  booleanMember,
  integerMember,
  type JsonObject,
  JsonShapeError,
  stringMember,
  toJsonObject,
} from '../../protocols/qmp/json.ts'
import { type BootConfig, type BootDevice, type DiskConfig, type DomainConfig, DriverError } from '../driver.ts'
import { isDomainId } from './layout.ts'

/** What is kept of a domain: what it was defined as, and what must stay as it was at the first definition. */
export interface Definition {
  readonly config: DomainConfig
  /** The versioned machine type, such as `pc-i440fx-7.2`: the guest's hardware does not change with a newer QEMU. */
  readonly machine: string
}

const FORMAT = 1

/** The text of a definition's file. */
export function serialise({ config, machine }: Definition): string {
  return `${JSON.stringify({ format: FORMAT, machine, config }, null, 2)}\n`
}

/** Reads a definition's file. Throws JsonShapeError or SyntaxError where it holds none. */
export function parse(text: string): Definition {
  const object = toJsonObject(JSON.parse(text), 'the definition')
  const format = integerMember(object, 'format')
  if (format !== FORMAT) throw new JsonShapeError(`format is ${format}; known is ${FORMAT}`)
  return { machine: stringMember(object, 'machine'), config: parseConfig(toJsonObject(object['config'], 'config')) }
}

function parseConfig(object: JsonObject): DomainConfig {
  return {
    id: stringMember(object, 'id'),
    name: stringMember(object, 'name'),
    description: stringMember(object, 'description'),
    memoryBytes: integerMember(object, 'memoryBytes'),
    vcpus: integerMember(object, 'vcpus'),
    boot: parseBoot(toJsonObject(object['boot'], 'boot')),
    disks: arrayMember(object, 'disks').map(disk => parseDisk(toJsonObject(disk, 'disk'))),
  }
}

const BOOT_DEVICES: readonly BootDevice[] = ['floppy', 'disk', 'cdrom']

function parseBoot(object: JsonObject): BootConfig {
  const kind = wordMember(object, 'kind', ['kernel', 'firmware'] as const)
  if (kind === 'firmware') return { kind, device: wordMember(object, 'device', BOOT_DEVICES) }
  return {
    kind,
    kernel: stringMember(object, 'kernel'),
    initrd: object['initrd'] === null ? null : stringMember(object, 'initrd'),
    cmdline: stringMember(object, 'cmdline'),
  }
}

function parseDisk(object: JsonObject): DiskConfig {
  return {
    id: stringMember(object, 'id'),
    location: stringMember(object, 'location'),
    format: wordMember(object, 'format', ['raw', 'qcow2'] as const),
    readOnly: booleanMember(object, 'readOnly'),
    device: stringMember(object, 'device'),
    bus: wordMember(object, 'bus', ['emulated', 'paravirtualised'] as const),
  }
}

function wordMember<Word extends string>(object: JsonObject, name: string, words: readonly Word[]): Word {
  const value = object[name]
  const word = words.find(candidate => candidate === value)
  if (word === undefined) throw new JsonShapeError(`${name} is none of ${words.join(', ')}`)
  return word
}

/**
 * Rejects as `refused` a definition that could not be kept or handed to QEMU. What a start alone can tell, such as a
 * missing file, is not looked at.
 */
export function assertDefinable(config: DomainConfig): void {
  if (!isDomainId(config.id)) throw refused(`the id ${JSON.stringify(config.id)} is no UUID in lower case`)
  if (!Number.isSafeInteger(config.memoryBytes) || config.memoryBytes < 0) {
    throw refused(`${config.memoryBytes} bytes cannot be a domain's memory`)
  }
  if (!Number.isSafeInteger(config.vcpus) || config.vcpus < 1)
    throw refused(`${config.vcpus} cannot be a number of CPUs`)
  for (const text of textsOf(config)) {
    if (text.includes('\0')) throw refused(`${JSON.stringify(text)} has a zero byte in it`)
  }
  for (const path of pathsOf(config)) {
    if (!path.startsWith('/')) throw refused(`${JSON.stringify(path)} is no absolute path`)
  }
}

const refused = (message: string) => new DriverError('refused', message)

/** All that goes to QEMU's command line as text. */
function textsOf({ name, description, boot, disks }: DomainConfig): string[] {
  const booting = boot.kind === 'kernel' ? [boot.kernel, boot.initrd ?? '', boot.cmdline] : []
  return [name, description, ...booting, ...disks.flatMap(disk => [disk.id, disk.location, disk.device])]
}

/** The files on the host that a start needs. */
export function pathsOf({ boot, disks }: DomainConfig): string[] {
  const booting = boot.kind === 'kernel' ? [boot.kernel, ...(boot.initrd === null ? [] : [boot.initrd])] : []
  return [...booting, ...disks.map(disk => disk.location)]
}
