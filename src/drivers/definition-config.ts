import {
  arrayMember,
  booleanMember,
  integerMember,
  type JsonObject,
  JsonShapeError,
  numberMember,
  stringMember,
  toJsonObject,
} from '../protocols/qmp/json.ts'
import {
  type Annotations,
  type BootConfig,
  type BootDevice,
  type CpuConfig,
  DISK_RATES,
  type DiskConfig,
  type DiskLimits,
  type DomainConfig,
  type ExitActions,
  type NicConfig,
  type PlatformConfig,
  type RateLimit,
  type Scheduling,
} from './domain-config.ts'

/** A definition that was kept as JSON; undefined where the text is none. */
export function readConfig(text: string): DomainConfig | undefined {
  try {
    return parseConfig(toJsonObject(JSON.parse(text), 'the definition'))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonShapeError) return undefined
    throw error
  }
}

/** Reads what was kept of a domain's definition; what an older version did not know is absent. Throws JsonShapeError. */
export function parseConfig(object: JsonObject): DomainConfig {
  const { memoryTargetBytes, cpu, scheduling, nics, platform, exits, annotations } = object
  return {
    id: stringMember(object, 'id'),
    name: stringMember(object, 'name'),
    description: stringMember(object, 'description'),
    memoryBytes: integerMember(object, 'memoryBytes'),
    ...(memoryTargetBytes !== undefined && { memoryTargetBytes: integerMember(object, 'memoryTargetBytes') }),
    vcpus: integerMember(object, 'vcpus'),
    ...(cpu !== undefined && { cpu: parseCpu(toJsonObject(cpu, 'cpu')) }),
    ...(scheduling !== undefined && { scheduling: parseScheduling(toJsonObject(scheduling, 'scheduling')) }),
    boot: parseBoot(toJsonObject(object['boot'], 'boot')),
    disks: arrayMember(object, 'disks').map(disk => parseDisk(toJsonObject(disk, 'disk'))),
    ...(nics !== undefined && { nics: arrayMember(object, 'nics').map(nic => parseNic(toJsonObject(nic, 'nic'))) }),
    ...(platform !== undefined && { platform: parsePlatform(toJsonObject(platform, 'platform')) }),
    ...(exits !== undefined && { exits: parseExits(toJsonObject(exits, 'exits')) }),
    ...(annotations !== undefined && { annotations: parseAnnotations(toJsonObject(annotations, 'annotations')) }),
  }
}

const BOOT_DEVICES: readonly BootDevice[] = ['floppy', 'disk', 'cdrom', 'network']

function parseBoot(object: JsonObject): BootConfig {
  const kind = wordMember(object, 'kind', ['kernel', 'guest-kernel', 'guest-grub', 'firmware'] as const)
  switch (kind) {
    case 'firmware':
      return { kind, device: wordMember(object, 'device', BOOT_DEVICES) }
    case 'guest-grub':
      return { kind, cmdline: stringMember(object, 'cmdline') }
    default:
      return {
        kind,
        kernel: stringMember(object, 'kernel'),
        initrd: nullOr(object, 'initrd', stringMember),
        cmdline: stringMember(object, 'cmdline'),
      }
  }
}

function parseDisk(object: JsonObject): DiskConfig {
  const { kind, shared, limits, alias } = object
  return {
    id: stringMember(object, 'id'),
    ...(kind !== undefined && { kind: wordMember(object, 'kind', ['disk', 'cdrom', 'floppy'] as const) }),
    location: stringMember(object, 'location'),
    format: wordMember(object, 'format', FORMATS),
    readOnly: booleanMember(object, 'readOnly'),
    device: stringMember(object, 'device'),
    bus: wordMember(object, 'bus', BUSES),
    ...(shared !== undefined && { shared: booleanMember(object, 'shared') }),
    ...(limits !== undefined && { limits: parseLimits(toJsonObject(limits, 'limits')) }),
    ...(alias !== undefined && { alias: stringMember(object, 'alias') }),
  }
}

function parseLimits(object: JsonObject): DiskLimits {
  const { requestBytes, group } = object
  const rates = DISK_RATES.filter(rate => object[rate] !== undefined)
  return {
    ...Object.fromEntries(rates.map(rate => [rate, parseRate(toJsonObject(object[rate], rate))])),
    ...(requestBytes !== undefined && { requestBytes: integerMember(object, 'requestBytes') }),
    ...(group !== undefined && { group: stringMember(object, 'group') }),
  }
}

function parseRate(object: JsonObject): RateLimit {
  const { burst, burstSeconds } = object
  return {
    perSecond: integerMember(object, 'perSecond'),
    ...(burst !== undefined && { burst: integerMember(object, 'burst') }),
    ...(burstSeconds !== undefined && { burstSeconds: integerMember(object, 'burstSeconds') }),
  }
}

const FORMATS = ['raw', 'qcow2', 'vhd', 'vhdx'] as const
const BUSES = ['emulated', 'paravirtualised'] as const

function parseNic(object: JsonObject): NicConfig {
  const { linkDown, alias } = object
  return {
    id: stringMember(object, 'id'),
    mac: stringMember(object, 'mac'),
    mtu: integerMember(object, 'mtu'),
    model: wordMember(object, 'model', BUSES),
    device: stringMember(object, 'device'),
    network: nullOr(object, 'network', stringMember),
    ...(linkDown !== undefined && { linkDown: booleanMember(object, 'linkDown') }),
    ...(alias !== undefined && { alias: stringMember(object, 'alias') }),
  }
}

function parseCpu(object: JsonObject): CpuConfig {
  return {
    required: stringsMember(object, 'required'),
    canUse: stringsMember(object, 'canUse'),
    forceOn: stringsMember(object, 'forceOn'),
    forceOff: stringsMember(object, 'forceOff'),
  }
}

function parseScheduling(object: JsonObject): Scheduling {
  const affinity = object['affinity'] === null ? null : arrayMember(object, 'affinity')
  return {
    weight: integerMember(object, 'weight'),
    capPercent: nullOr(object, 'capPercent', numberMember),
    affinity: affinity?.map(number => integerMember({ number }, 'number')) ?? null,
  }
}

function parsePlatform(object: JsonObject): PlatformConfig {
  const { vga, serial, localTime, keepClockOffset, audio, rng, tablet, tpm, enlightened, pciDevices } = object
  const { memoryStatsSeconds } = object
  return {
    ...(vga !== undefined && { vga: wordMember(object, 'vga', ['std', 'cirrus'] as const) }),
    ...(serial !== undefined && { serial: wordMember(object, 'serial', ['console', 'pty', 'none'] as const) }),
    ...(localTime !== undefined && { localTime: booleanMember(object, 'localTime') }),
    ...(keepClockOffset !== undefined && { keepClockOffset: booleanMember(object, 'keepClockOffset') }),
    ...(audio !== undefined && { audio: booleanMember(object, 'audio') }),
    ...(rng !== undefined && { rng: booleanMember(object, 'rng') }),
    ...(tablet !== undefined && { tablet: booleanMember(object, 'tablet') }),
    ...(memoryStatsSeconds !== undefined && { memoryStatsSeconds: integerMember(object, 'memoryStatsSeconds') }),
    ...(tpm !== undefined && { tpm: booleanMember(object, 'tpm') }),
    ...(enlightened !== undefined && { enlightened: booleanMember(object, 'enlightened') }),
    ...(pciDevices !== undefined && { pciDevices: stringsMember(object, 'pciDevices') }),
  }
}

function parseExits(object: JsonObject): ExitActions {
  const [HALT_OR_RESTART, ANY] = [['halt', 'restart'] as const, ['halt', 'restart', 'hold'] as const]
  return {
    shutdown: wordMember(object, 'shutdown', HALT_OR_RESTART),
    reboot: wordMember(object, 'reboot', HALT_OR_RESTART),
    suspend: wordMember(object, 'suspend', HALT_OR_RESTART),
    crash: wordMember(object, 'crash', ANY),
  }
}

function parseAnnotations(object: JsonObject): Annotations {
  const { title, metadata } = object
  return {
    ...(title !== undefined && { title: stringMember(object, 'title') }),
    ...(metadata !== undefined && { metadata: parseTexts(toJsonObject(metadata, 'metadata')) }),
  }
}

const parseTexts = (object: JsonObject): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.keys(object).map(name => [name, stringMember(object, name)]))

function wordMember<Word extends string>(object: JsonObject, name: string, words: readonly Word[]): Word {
  const value = object[name]
  const word = words.find(candidate => candidate === value)
  if (word === undefined) throw new JsonShapeError(`${name} is none of ${words.join(', ')}`)
  return word
}

function stringsMember(object: JsonObject, name: string): string[] {
  return arrayMember(object, name).map(text => stringMember({ [name]: text }, name))
}

function nullOr<T>(object: JsonObject, name: string, read: (object: JsonObject, name: string) => T): T | null {
  return object[name] === null ? null : read(object, name)
}
