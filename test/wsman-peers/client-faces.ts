import assert from 'node:assert/strict'
import {
  CimInterval,
  defineClass,
  defineMethod,
  type EndpointReference,
  instanceOf,
  reference,
  type WsmanClient,
} from '../../src/protocols/wsman/index.ts'
import { finish } from './client-world.ts'

/** What both namespaces have, under other names: how a machine is made, changed and removed. */
export interface Face {
  readonly namespace: string
  /** The class of the settings that say when a machine starts. */
  readonly startClass: string
  readonly pauses: number
  readonly paused: number
  /** Makes a machine that starts by itself so long after its host, and refers to it. */
  define(client: WsmanClient, name: string, delayMs: number): Promise<EndpointReference>
  /** Gives a machine other quantities, in one call. */
  resize(client: WsmanClient, machine: EndpointReference, quantities: readonly Quantity[]): Promise<void>
  destroy(client: WsmanClient, machine: EndpointReference): Promise<void>
}

/** A quantity of some settings, such as processors, by their name. */
export interface Quantity {
  readonly className: 'Msvm_ProcessorSettingData' | 'Msvm_MemorySettingData'
  readonly id: string
  readonly value: bigint
}

const SERVICE = 'Msvm_VirtualSystemManagementService'
/** By its class alone, as clients in the field name it. */
export const serviceOf = (namespace: string) => reference(namespace, SERVICE, { CreationClassName: SERVICE })

const settingsOf = ({ className, id, value }: Quantity) =>
  instanceOf(defineClass(className, { InstanceID: 'string', VirtualQuantity: 'uint64' }), {
    InstanceID: id,
    VirtualQuantity: value,
  })

const NAMED = { ElementName: 'string', AutomaticStartupActionDelay: 'interval' } as const
const delayOf = (ms: number) => CimInterval.ofMilliseconds(ms)

const V1 = 'root/virtualization'
const GlobalSettings = defineClass('Msvm_VirtualSystemGlobalSettingData', NAMED)
const DefineVirtualSystem = defineMethod(SERVICE, 'DefineVirtualSystem', {
  input: { SystemSettingData: 'instance' },
  output: { DefinedSystem: 'reference', Job: 'reference' },
})

/** root\virtualization. */
export const FACE_V1: Face = {
  namespace: V1,
  startClass: GlobalSettings.name,
  pauses: 32768,
  paused: 32768,
  async define(client, name, delayMs) {
    const settings = instanceOf(GlobalSettings, { ElementName: name, AutomaticStartupActionDelay: delayOf(delayMs) })
    const { returnValue, values } = await client.call(serviceOf(V1), DefineVirtualSystem, {
      SystemSettingData: settings,
    })
    assert.equal(returnValue, 0)
    assert.ok(values.DefinedSystem)
    return values.DefinedSystem
  },
  async resize(client, machine, quantities) {
    const input = { ComputerSystem: machine, ResourceSettingData: quantities.map(settingsOf) }
    await finish(client, await client.invoke(serviceOf(V1), 'ModifyVirtualSystemResources', input))
  },
  async destroy(client, machine) {
    const job = await finish(
      client,
      await client.invoke(serviceOf(V1), 'DestroyVirtualSystem', { ComputerSystem: machine }),
    )
    assert.equal(job?.number('JobState') ?? 7, 7)
  },
}

const V2 = 'root/virtualization/v2'
const Settings = defineClass('Msvm_VirtualSystemSettingData', NAMED)
const DefineSystem = defineMethod(SERVICE, 'DefineSystem', {
  input: { SystemSettings: 'instance' },
  output: { ResultingSystem: 'reference', Job: 'reference' },
})

/** root\virtualization\v2. */
export const FACE_V2: Face = {
  namespace: V2,
  startClass: Settings.name,
  pauses: 9,
  paused: 9,
  async define(client, name, delayMs) {
    const settings = instanceOf(Settings, { ElementName: name, AutomaticStartupActionDelay: delayOf(delayMs) })
    const { returnValue, values } = await client.call(serviceOf(V2), DefineSystem, { SystemSettings: settings })
    assert.equal(returnValue, 0)
    assert.ok(values.ResultingSystem)
    return values.ResultingSystem
  },
  async resize(client, _machine, quantities) {
    const input = { ResourceSettings: quantities.map(settingsOf) }
    await finish(client, await client.invoke(serviceOf(V2), 'ModifyResourceSettings', input))
  },
  async destroy(client, machine) {
    const job = await finish(client, await client.invoke(serviceOf(V2), 'DestroySystem', { AffectedSystem: machine }))
    assert.equal(job?.number('JobState') ?? 7, 7)
  },
}
