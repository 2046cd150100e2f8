import { intervalMilliseconds, intervalOf } from '../cim/datetime.ts'
import type { CimValue } from '../cim/model.ts'
import { parsePath } from '../cim/path.ts'
import type { Host } from './host.ts'
import type { Configuration, Settings, Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { isList, nameOfVm, SUB_TYPE, textIn, textsIn } from './settings.ts'

/** What was given of settings: by the schema's spelling, of the declared types. NULL is as good as not given. */
export type Given = ReadonlyMap<string, CimValue>

/**
 * What nobody may change. Sending it back as it is does no harm.
 * Source: refused on a real host for VirtualSystemType, CreationTime, Version and Configuration*; the rest by analogy.
 */
const READ_ONLY = new Set([
  'Architecture',
  'ConfigurationDataRoot',
  'ConfigurationFile',
  'ConfigurationID',
  'CreationTime',
  'GuestStateDataRoot',
  'GuestStateFile',
  'HighMmioGapBase',
  'InstanceID',
  'IsAutomaticSnapshot',
  'IsSaved',
  'LogDataRoot',
  'Parent',
  'RecoveryFile',
  'SuspendDataRoot',
  'Version',
  'VirtualSystemIdentifier',
  'VirtualSystemSubType',
  'VirtualSystemType',
])

/** What shapes the machine that the guest sees: to be changed while it is off. Source: as Hyper-V Manager greys it out. */
const ONLY_WHILE_OFF = new Set([
  'BIOSGUID',
  'BIOSNumLock',
  'BIOSSerialNumber',
  'BaseBoardSerialNumber',
  'BootOrder',
  'BootSourceOrder',
  'ChassisAssetTag',
  'ChassisSerialNumber',
  'ConsoleMode',
  'GuestControlledCacheTypes',
  'HighMmioGapSize',
  'LowMmioGapSize',
  'NetworkBootPreferredProtocol',
  'SecureBootEnabled',
  'SecureBootTemplateId',
  'VirtualNumaEnabled',
])

/** What a snapshot's settings let change. */
const OF_SNAPSHOTS = new Set(['ElementName', 'Notes'])

/** What only a machine of the second generation has, and what only one of the first. */
const ONLY_UEFI = new Set(['BootSourceOrder', 'SecureBootEnabled', 'SecureBootTemplateId'])
const ONLY_BIOS = new Set(['BootOrder', 'BIOSNumLock'])

/** Source: the ValueMaps of the MOF; the automatic actions are those of v2, not 0 to 2 as in v1. */
const ALLOWED: Readonly<Record<string, readonly number[]>> = {
  AutomaticCriticalErrorAction: [0, 1],
  AutomaticRecoveryAction: [2, 3, 4],
  AutomaticShutdownAction: [2, 3, 4],
  AutomaticStartupAction: [2, 3, 4],
  ConsoleMode: [0, 1, 2, 3],
  DebugPortEnabled: [0, 1, 2],
  EnhancedSessionTransportType: [0, 1],
  NetworkBootPreferredProtocol: [4096, 4097],
  UserSnapshotType: [2, 3, 4, 5],
}

const NAME_LENGTH_MAX = 100
const NOTES_LENGTH_MAX = 1 << 16

/**
 * Changes the system settings of a machine, or of a snapshot of it, by what was given; all of it or nothing.
 * Throws OperationError where a value is refused.
 */
export function changeSystemSettings(host: Host, vm: Vm, configuration: Configuration, given: Given): void {
  const isSnapshot = configuration !== vm.configuration
  const settings = configuration.system
  const changes: Record<string, CimValue> = {}
  for (const [name, value] of given) {
    if (value === null || isSame(settings.values[name], value)) continue
    const isReadOnly = READ_ONLY.has(name) || (isSnapshot && !OF_SNAPSHOTS.has(name))
    if (isReadOnly) throw new OperationError(Return.failed, host.texts.cannotModify(nameOfVm(vm), vm.id, name))
    if (!isSnapshot && vm.power !== 'off' && ONLY_WHILE_OFF.has(name)) {
      throw new OperationError(Return.invalidState, host.texts.cannotModifyNow(nameOfVm(vm), vm.id, name))
    }
    changes[name] = accepted(host, settings, name, value)
  }
  configuration.system = changed(settings, changes)
  vm.configuredAt = host.clock.now()
  host.touch()
}

/** Settings for a new machine, with what was given. What the host decides stays as it is, whatever was given. */
export function takeSystemSettings(host: Host, settings: Settings, given: Given): Settings {
  const changes: Record<string, CimValue> = {}
  for (const [name, value] of given) {
    if (value === null || isSame(settings.values[name], value)) continue
    if (READ_ONLY.has(name) && !name.endsWith('DataRoot')) continue
    changes[name] = accepted(host, settings, name, value)
  }
  return changed(settings, changes)
}

/** Settings are never changed in place: a snapshot may share them. */
function changed({ className, values }: Settings, changes: Readonly<Record<string, CimValue>>): Settings {
  const after = { ...values, ...changes }
  // Source: read back as NULL on a real host.
  if (changes['AutomaticCriticalErrorAction'] === 0) delete after['AutomaticCriticalErrorActionTimeout']
  if (!isIsolated(after)) after['GuestStateIsolationType'] = 0
  return { className, values: after }
}

/**
 * Whether a kind of isolation lasts: one of software, of a machine that has isolation on at all. Any other is taken without
 * a word, and is 0 when it is read back. Source: read back so on a real host, whose processors had no such thing.
 */
function isIsolated(values: Readonly<Record<string, CimValue>>): boolean {
  const type = values['GuestStateIsolationType']
  return type === undefined || type === 0 || (type === VBS && values['GuestStateIsolationEnabled'] === true)
}

/** GuestStateIsolationType of virtualization-based security; those above it are of the hardware. */
const VBS = 1

function accepted(host: Host, settings: Settings, name: string, value: CimValue): CimValue {
  const normal = normalized(settings, name, value)
  if (normal === undefined) throw new OperationError(Return.invalidParameter, host.texts.invalidValue(name))
  return normal
}

/** The value as it is kept; undefined where it is refused. */
function normalized(settings: Settings, name: string, value: CimValue): CimValue | undefined {
  const isUefi = textIn(settings, 'VirtualSystemSubType') === SUB_TYPE[2]
  if ((isUefi ? ONLY_BIOS : ONLY_UEFI).has(name) && !isNothing(value)) return undefined
  const allowed = ALLOWED[name]
  if (allowed !== undefined) return typeof value === 'number' && allowed.includes(value) ? value : undefined
  switch (name) {
    case 'ElementName':
      return typeof value === 'string' && value.length <= NAME_LENGTH_MAX ? value : undefined
    case 'Notes':
      return notes(value)
    case 'BIOSGUID':
    case 'SecureBootTemplateId':
      return guid(value)
    case 'BootOrder':
      return bootOrder(value)
    case 'BootSourceOrder':
      return bootSourceOrder(textsIn(settings, name), value)
    case 'AutomaticStartupActionDelay':
      return typeof value === 'string' && intervalMilliseconds(value) !== undefined ? value : undefined
    case 'AutomaticCriticalErrorActionTimeout':
      return wholeMinutes(value)
    default:
      return value
  }
}

function isNothing(value: CimValue): boolean {
  return value === false || value === '' || (isList(value) && value.length === 0)
}

/** Only the first is kept. Source: read back so on a real host. */
function notes(value: CimValue): CimValue | undefined {
  if (!isList(value)) return undefined
  const [first] = value
  if (first === undefined) return []
  return typeof first === 'string' && first.length <= NOTES_LENGTH_MAX ? [first] : undefined
}

/** With or without braces; kept without, in upper case. Source: read back so on a real host. */
function guid(value: CimValue): string | undefined {
  if (typeof value !== 'string') return undefined
  return /^\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?$/i.exec(value)?.[1]?.toUpperCase()
}

/** Four different ones of 0 to 4. Source: Microsoft Learn, Msvm_VirtualSystemSettingData.BootOrder. */
function bootOrder(value: CimValue): CimValue | undefined {
  if (!isList(value) || value.length !== 4 || new Set(value).size !== 4) return undefined
  return value.every(item => typeof item === 'number' && item <= 4) ? value : undefined
}

/** The host's own entries in another order; those left out follow. An empty list changes nothing. */
function bootSourceOrder(present: readonly string[], value: CimValue): CimValue | undefined {
  if (!isList(value)) return undefined
  const wanted: string[] = []
  for (const item of value) {
    const found = present.find(path => typeof item === 'string' && instanceIdOf(path) === instanceIdOf(item))
    if (found === undefined || wanted.includes(found)) return undefined
    wanted.push(found)
  }
  return [...wanted, ...present.filter(path => !wanted.includes(path))]
}

/** What tells paths of boot sources apart, however their host and namespace are written. */
function instanceIdOf(path: string): string | undefined {
  return parsePath(path)?.keys.get('InstanceID')?.toLowerCase()
}

/** Rounded up to whole minutes. Source: Microsoft Learn, AutomaticCriticalErrorActionTimeout. */
function wholeMinutes(value: CimValue): string | undefined {
  const ms = typeof value === 'string' ? intervalMilliseconds(value) : undefined
  return ms === undefined ? undefined : intervalOf(Math.ceil(ms / 60_000) * 60_000)
}

function isSame(present: CimValue | undefined, given: CimValue): boolean {
  if (present === undefined) return isNothing(given)
  if (!isList(present) || !isList(given)) return present === given
  return present.length === given.length && present.every((item, place) => item === given[place])
}
