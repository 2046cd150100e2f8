import type { Embedded } from '../cim/embedded.ts'
import type { CimValue, Schema } from '../cim/model.ts'
import { loadSchema } from '../cim/schema.ts'
import type { Host } from '../host/host.ts'
import type { Settings, SwitchPort, Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { addResources, modifyResources, removeResources } from '../host/resources.ts'
import { sameValue } from '../host/resources-changes.ts'
import type { Given, ResourceContext } from '../host/resources-context.ts'
import { imageFilesOf } from '../host/resources-files.ts'
import { textGiven } from '../host/resources-given.ts'
import { sameId, settingsPath } from '../host/resources-ids.ts'
import { KINDS, type KindName, type ResourceKind } from '../host/resources-kinds.ts'
import { keyIn } from '../host/resources-references.ts'
import { findOwned, type Owner, ownVm } from '../host/resources-owner.ts'
import { idOf, kindOf, withValues } from '../host/resources-settings.ts'
import { isTrueIn, numberIn } from '../host/settings.ts'
import { connectPort, findPort, switchPath, switchRefusal } from '../host/switches.ts'
import { connectionOf } from './adapter-ports.ts'
import { carryTag } from './port-tags.ts'
import { shownKind } from './translate-kinds.ts'
import { kindGivenHere, newResourceGiven, wordsGiven } from './translate-given.ts'
import { resourceRow } from './translate-resources.ts'

// What v1 asks of resources, done by the operations that both namespaces share.

/** Configurations are kept in the words of v2, of which the first build that had them knows all that v1 can say. */
const FIRST_V2_BUILD = 9200

export function contextOf(host: Host): ResourceContext {
  const schema: Schema = loadSchema('root\\virtualization\\v2', Math.max(host.state.build, FIRST_V2_BUILD))
  return {
    host,
    files: imageFilesOf(host),
    knows: (className, property) => schema.find(className)?.property(property) !== undefined,
  }
}

export const givenOf = ({ class: cls, values }: Embedded): Given => ({ className: cls.name, values })

/** Resources that a new machine is to have: those that every machine has are as given, others are added. */
export function defineResources(host: Host, vm: Vm, embedded: readonly Embedded[]): void {
  for (const given of embedded.map(givenOf)) {
    const kind = kindGivenHere(given)
    const present = kind === 'processor' || kind === 'memory' ? ownOf(host, vm, kind) : undefined
    if (present === undefined) addHere(host, ownVm(vm), [given])
    else modifyHere(host, [{ ...given, values: new Map([...given.values, ['InstanceID', idOf(present)]]) }])
  }
}

const ownOf = (host: Host, vm: Vm, kind: KindName): Settings | undefined =>
  vm.configuration.resources.find(one => kindOf(one, host.state.build) === kind)

/** Adds resources, all or none, and returns them in the order in which they were given. */
export function addHere(host: Host, owner: Owner, given: readonly Given[]): Settings[] {
  return wholly(owner, undo =>
    given.flatMap(one => {
      const { given: words, connection } = newResourceGiven(host, one)
      const added = addResources(contextOf(host), owner, [words])
      for (const adapter of added) {
        if (connection !== undefined) connect(host, owner, adapter, connection, undo)
      }
      return added
    }),
  )
}

/** Changes resources, each by its InstanceID. */
export function modifyHere(host: Host, given: readonly Given[]): void {
  for (const one of given) {
    const owned = findOwned(host, textGiven(one, 'InstanceID') ?? '')
    if (owned === undefined) modifyResources(contextOf(host), [one])
    else wholly(owned.owner, undo => modifyOne(host, owned.owner, owned.settings, one, undo))
  }
}

type Undo = (action: () => void) => void

/** A change that leaves nothing behind where it fails. Settings are never changed in place. */
function wholly<T>({ configuration }: Owner, change: (undo: Undo) => T): T {
  const { resources, system } = configuration
  const undone: (() => void)[] = []
  try {
    return change(action => undone.push(action))
  } catch (error) {
    Object.assign(configuration, { resources, system })
    for (const action of undone) action()
    throw error
  }
}

function modifyOne(host: Host, owner: Owner, settings: Settings, given: Given, undo: Undo): void {
  const changes = changesHere(host, owner, settings, given)
  const shown = shownKind(settings, host.state.build)
  const { values, connection } =
    shown === undefined
      ? { values: changes, connection: undefined }
      : wordsGiven(host, shown.name, changed(given, changes))
  if (shown?.name === 'memory') prepareMemory(owner, settings, values)
  if (values.size > 0) {
    const named = new Map([...values, ['InstanceID', idOf(settings)] as const])
    modifyResources(contextOf(host), [{ className: settings.className, values: named }])
  }
  if (connection !== undefined) connect(host, owner, settings, connection, undo)
}

const changed = ({ className }: Given, values: Map<string, CimValue>): Given => ({ className, values })

/** What is given that is not as it is shown: clients send a whole object back to change one value of it. */
function changesHere(host: Host, owner: Owner, settings: Settings, given: Given): Map<string, CimValue> {
  const row = resourceRow(host, settings, owner)?.row ?? {}
  const changes = new Map<string, CimValue>()
  for (const [name, value] of given.values) {
    if (value === null || name === 'InstanceID' || sameValue(row[name] ?? null, value)) continue
    if (IDENTITY.has(name)) throw new OperationError(Return.invalidParameter, host.texts.invalidValue(name))
    changes.set(name, value)
  }
  return changes
}

/** What makes a resource what it is. A sub type may be spelled as the path of a definition row. */
const IDENTITY: ReadonlySet<string> = new Set(['OtherResourceType', 'ResourceType'])

/**
 * v1 keeps all memory of a machine for it: what is reserved, and the limit, go with the amount while they are the same.
 * Its memory becomes dynamic without a word on NUMA, which v1 has none for.
 */
function prepareMemory({ configuration }: Owner, settings: Settings, values: Map<string, CimValue>): void {
  const isDynamic = values.get('DynamicMemoryEnabled') ?? isTrueIn(settings, 'DynamicMemoryEnabled')
  if (isDynamic === true) {
    configuration.system = withValues(configuration.system, { VirtualNumaEnabled: false })
    return
  }
  const wanted = values.get('VirtualQuantity')
  const before = numberIn(settings, 'VirtualQuantity')
  if (wanted === undefined) return
  for (const name of ['Reservation', 'Limit']) {
    if (!values.has(name) && numberIn(settings, name) === before) values.set(name, wanted)
  }
}

/** Takes resources away by their InstanceIDs, which must be the machine's own. */
export function removeHere(host: Host, vm: Vm, ids: readonly string[]): void {
  for (const id of ids) {
    if (findOwned(host, id)?.owner.vm !== vm) {
      throw new OperationError(Return.invalidParameter, host.texts.invalidValue('InstanceID'))
    }
    removeResources(contextOf(host), [id])
  }
}

/** Puts an adapter at the port that a path names, or at none. */
function connect(host: Host, owner: Owner, adapter: Settings, paths: readonly string[], undo: Undo): void {
  const [path = ''] = paths
  if (path === '') return disconnectAdapter(host, owner, adapter, undo)
  const id = keyIn(path, /^Msvm_SwitchPort$/i, 'Name')
  if (id === undefined || paths.length > 1) throw switchRefusal(host, '', 'invalid')
  connectAdapter(host, owner, adapter, id, undo)
}

/** Puts an adapter at a port, whatever port it was at before. */
export function connectAdapter(host: Host, owner: Owner, adapter: Settings, portId: string, undo: Undo): void {
  const found = findPort(host, portId)
  if (found === undefined) throw switchRefusal(host, '', 'invalid')
  const { one, port, role } = found
  const isOwn = role === 'adapter' && sameId(port.connectedTo ?? '', idOf(adapter))
  if (isOwn) return
  if (role !== 'free') throw switchRefusal(host, '', 'invalid', Return.inUse)
  freePorts(host, adapter, undo)
  const connection = connectionOf(owner.configuration, adapter)
  const values = new Map<string, CimValue>([['HostResource', [switchPath(host, one.id)]]])
  // The port has its tag; what was connected elsewhere before brings none along.
  if (connection === undefined) addResources(contextOf(host), owner, [newConnection(host, adapter, port, values)])
  else modifyResources(contextOf(host), [existing(connection, values)])
  carryTag(contextOf(host), found, idOf(adapter))
  reconnect(host, port, idOf(adapter), undo)
}

const KIND: ResourceKind = KINDS.connection

function newConnection(host: Host, adapter: Settings, port: SwitchPort, values: Map<string, CimValue>): Given {
  values.set('ResourceType', KIND.type)
  values.set('ResourceSubType', KIND.subType)
  values.set('ElementName', port.name)
  values.set('Parent', settingsPath(host.state.name, adapter.className, idOf(adapter)))
  return { className: KIND.className, values }
}

const existing = (connection: Settings, values: Map<string, CimValue>): Given => ({
  className: connection.className,
  values: values.set('InstanceID', idOf(connection)),
})

/** Takes an adapter from the port that it is at. */
export function disconnectAdapter(host: Host, owner: Owner, adapter: Settings, undo: Undo): void {
  freePorts(host, adapter, undo)
  const connection = connectionOf(owner.configuration, adapter)
  if (connection !== undefined) removeResources(contextOf(host), [idOf(connection)])
}

function freePorts(host: Host, adapter: Settings, undo: Undo): void {
  for (const { ports } of host.state.switches) {
    for (const port of ports) {
      if (sameId(port.connectedTo ?? '', idOf(adapter))) reconnect(host, port, undefined, undo)
    }
  }
}

function reconnect(host: Host, port: SwitchPort, adapterId: string | undefined, undo: Undo): void {
  const before = port.connectedTo
  undo(() => connectPort(host, port, before))
  connectPort(host, port, adapterId)
}
