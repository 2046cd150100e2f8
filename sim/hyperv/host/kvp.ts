import { writeEmbedded } from '../cim/embedded.ts'
import { makeInstance } from '../cim/instance.ts'
import type { Schema } from '../cim/model.ts'
import type { Host } from './host.ts'
import type { Vm } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { nameOfVm } from './settings.ts'

/** A pair of the data exchange service. */
export interface KvpItem {
  readonly name: string
  readonly data: string
  /** Of whom it is: 0 the host, 2 the guest's own, 4 the host alone. Source: Msvm_KvpExchangeDataItem in the MOF. */
  readonly source: number
}

/** Msvm_KvpExchangeDataItem.Source. */
export const KvpSource = { host: 0, guest: 1, intrinsic: 2, external: 3, hostOnly: 4 } as const

const LENGTH_MAX = 1024
const ITEMS_MAX = 1024

/** What is done with pairs that the host gives to a guest. */
export type KvpChange = 'add' | 'modify' | 'remove'

/**
 * Adds, modifies or removes pairs that the host gives to the guest of a machine, whether it runs or not: all of them or
 * none. Throws OperationError where one is refused. `schema` is that of either namespace.
 */
export function changeHostItems(
  host: Host,
  vm: Vm,
  schema: Schema,
  change: KvpChange,
  items: readonly KvpItem[],
): void {
  const present = new Map(Object.entries(vm.hostItems))
  for (const item of items) {
    if (!isPossible(present, change, item)) {
      const message = host.texts.kvpFailed(nameOfVm(vm), vm.id, item.name)
      throw new OperationError(Return.invalidParameter, message)
    }
    if (change === 'remove') present.delete(item.name)
    else present.set(item.name, item.data)
  }
  vm.hostItems = Object.fromEntries(present)
  showHostItems(vm, schema)
  host.touch()
}

/** A pair as the text that a host makes of it. */
export function kvpText(schema: Schema, { name, data, source }: KvpItem): string {
  const cls = schema.find('Msvm_KvpExchangeDataItem')
  if (cls === undefined) throw new OperationError(Return.notSupported, 'This namespace has no data exchange items.')
  const nothing = { Caption: null, Description: null, ElementName: null }
  return writeEmbedded(makeInstance(cls, { ...nothing, Data: data, Name: name, Source: source }))
}

function isPossible(present: ReadonlyMap<string, string>, change: KvpChange, item: KvpItem): boolean {
  const isValid = item.name !== '' && item.name.length <= LENGTH_MAX && item.data.length <= LENGTH_MAX
  if (!isValid || item.source !== KvpSource.host) return false
  return change === 'add' ? !present.has(item.name) && present.size < ITEMS_MAX : present.has(item.name)
}

/** The pairs stand in the settings of the data exchange service as well, where they can be read while it does not run. */
function showHostItems(vm: Vm, schema: Schema): void {
  const items = Object.entries(vm.hostItems).map(([name, data]) => ({ name, data, source: KvpSource.host }))
  const HostExchangeItems = items.map(item => kvpText(schema, item))
  const { configuration } = vm
  configuration.resources = configuration.resources.map(one => {
    if (one.className !== 'Msvm_KvpExchangeComponentSettingData') return one
    return { ...one, values: { ...one.values, HostExchangeItems } }
  })
}
