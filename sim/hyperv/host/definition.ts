import type { CimValue } from '../cim/model.ts'
import { defaultResources } from './default-devices.ts'
import type { Host } from './host.ts'
import type { Configuration, Settings, Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { generationOf, isList, nameOfVm, SUB_TYPE, textIn } from './settings.ts'
import { changeSystemSettings, type Given, takeSystemSettings } from './system-rules.ts'
import { newSystemSettings } from './system-settings.ts'

/** A machine as it is to be. */
export interface NewSystem {
  /** Of Msvm_VirtualSystemSettingData, in the words of v2. */
  readonly settings: Given
  /** What it is to be like otherwise: the configuration of a machine or snapshot. */
  readonly reference?: Configuration
  /** What the guest in it is; that of every new machine of the host where nothing is said. */
  readonly guest?: Vm['guest']
}

/** No host is known to bear more. */
const MACHINES_MAX = 100_000
const DEFAULT_NAME = 'New Virtual Machine'

/**
 * Makes a machine that is off, with the devices that every new machine has, and adds it to the host. Its GUID is the
 * host's choice, whatever was given; several machines may have one name. Throws OperationError where a setting is refused.
 */
export function defineSystem(host: Host, { settings: given, reference, guest = host.guest }: NewSystem): Vm {
  if (host.state.vms.length >= MACHINES_MAX) throw new OperationError(Return.failed, 'The host holds no more machines.')
  const generation = generationGiven(host, given, reference)
  const id = host.random.guid()
  const fresh = newSystemSettings(host, id, DEFAULT_NAME, generation)
  const alike = takeSystemSettings(host, fresh, new Map(Object.entries(reference?.system.values ?? {})))
  const system = takeSystemSettings(host, alike, given)
  const resources = reference === undefined ? defaultResources(host, id, generation) : copies(reference, id)
  const now = host.clock.now()
  const vm: Vm = {
    id,
    configuration: { system, resources },
    power: 'off',
    installedAt: now,
    stateChangedAt: now,
    configuredAt: now,
    ranMs: 0,
    cpuTime: [],
    snapshots: [],
    hostItems: {},
    guest,
    pressedKeys: [],
    typed: '',
    ranAtShutdown: false,
  }
  host.add(vm)
  return vm
}

/**
 * Refuses the destruction of a machine that is not off or saved, or that something is being done with.
 * Source: Microsoft Learn, DestroySystem; a running deletion of a snapshot was seen to be in the way.
 */
export function requireDestroyable(host: Host, vm: Vm): void {
  const isAtRest = (vm.power === 'off' || vm.power === 'saved') && vm.secondaryStatus === undefined
  if (isAtRest) return
  throw new OperationError(Return.invalidState, host.texts.invalidState(nameOfVm(vm), vm.id), { isImmediate: true })
}

/** Takes a machine from the host, its snapshots and its connections to switches with it; its disks stay. */
export function destroySystem(host: Host, vm: Vm): void {
  requireDestroyable(host, vm)
  const own = [vm.id, ...vm.snapshots.map(({ id }) => id)].map(id => `Microsoft:${id}\\`)
  for (const { ports } of host.state.switches) {
    for (const port of ports) {
      if (own.some(prefix => port.connectedTo?.startsWith(prefix))) delete port.connectedTo
    }
  }
  host.remove(vm)
}

/** Whose settings an InstanceID of Msvm_VirtualSystemSettingData means: a machine's own, or a snapshot's of it. */
export interface FoundSettings {
  readonly vm: Vm
  readonly configuration: Configuration
}

/** Undefined where there are no such settings. */
export function findSettings(host: Host, instanceId: string): FoundSettings | undefined {
  const id = /^Microsoft:([0-9a-f-]{36})$/i.exec(instanceId)?.[1]?.toUpperCase()
  if (id === undefined) return undefined
  const own = host.vm(id)
  if (own !== undefined) return { vm: own, configuration: own.configuration }
  for (const vm of host.state.vms) {
    const snapshot = vm.snapshots.find(one => one.id === id)
    if (snapshot !== undefined) return { vm, configuration: snapshot.configuration }
  }
  return undefined
}

/**
 * Changes settings of a machine or snapshot: InstanceID tells which. Throws OperationError where there is no such
 * machine or a value is refused; nothing is changed then.
 */
export function modifySystem(host: Host, given: Given): Vm {
  const instanceId = given.get('InstanceID')
  const found = typeof instanceId === 'string' ? findSettings(host, instanceId) : undefined
  if (found === undefined) {
    throw new OperationError(Return.invalidParameter, host.texts.invalidValue('InstanceID'))
  }
  // An InstanceID may come in another case than the host's.
  const rest = new Map([...given].filter(([name]) => name !== 'InstanceID'))
  changeSystemSettings(host, found.vm, found.configuration, rest)
  return found.vm
}

function generationGiven(host: Host, given: Given, reference: Configuration | undefined): 1 | 2 {
  const subType = given.get('VirtualSystemSubType')
  if (typeof subType !== 'string' || subType === '') return reference === undefined ? 1 : generationOf(reference)
  // Source: VirtualSystemSubType came with build 9600, and the second generation with it.
  if (subType === SUB_TYPE[2] && host.state.build >= 9600) return 2
  if (subType === SUB_TYPE[1]) return 1
  throw new OperationError(Return.invalidParameter, host.texts.invalidValue('VirtualSystemSubType'))
}

/** The resources of a configuration as another machine's: its GUID stands in InstanceIDs and in paths to them. */
function copies(reference: Configuration, id: string): Settings[] {
  const from = (textIn(reference.system, 'InstanceID') ?? '').replace('Microsoft:', '')
  const renamedText = (text: string): string => text.replaceAll(new RegExp(from, 'gi'), id)
  const renamed = (value: CimValue): CimValue => {
    if (typeof value === 'string') return renamedText(value)
    if (!isList(value)) return value
    return value.map(item => (typeof item === 'string' ? renamedText(item) : item))
  }
  return reference.resources.map(({ className, values }) => ({
    className,
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, renamed(value)])),
  }))
}
