import assert from 'node:assert/strict'
import type { Instance } from '../../sim/hyperv/cim/model.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { type Answered, type Given, nameAt, textIn, textOf, type World } from './resources-world.ts'

export const SWITCH_SETTINGS = 'Msvm_VirtualEthernetSwitchSettingData'
export const ALLOCATION = 'Msvm_EthernetPortAllocationSettingData'
export const ADAPTER = 'Msvm_SyntheticEthernetPortSettingData'
export const VLAN = 'Msvm_EthernetSwitchPortVlanSettingData'

export const HOST_PATH =
  '\\\\WIN-SIM\\root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="WIN-SIM"'

/** A path to a network card of the host, with all four keys. */
export const cardPath = (card: Instance | undefined): string =>
  '\\\\WIN-SIM\\root\\virtualization\\v2:Msvm_ExternalEthernetPort.CreationClassName="Msvm_ExternalEthernetPort",' +
  `DeviceID="${textIn(card, 'DeviceID')}",SystemCreationClassName="Msvm_ComputerSystem",SystemName="WIN-SIM"`

export function defineSwitch(world: World, name: string, ...resources: readonly string[]): Promise<Answered> {
  return world.switching('DefineSystem', {
    SystemSettings: world.embed(SWITCH_SETTINGS, { ElementName: name, Notes: ['made by a test'] }),
    ResourceSettings: resources.map(path => world.embed(ALLOCATION, { HostResource: [path] })),
  })
}

/** A switch that nothing but machines are on, and its path. */
export async function privateSwitch(world: World, name: string): Promise<string> {
  const { returnValue, output } = await defineSwitch(world, name)
  assert.equal(returnValue, 0)
  return textOf(output?.['ResultingSystem'])
}

export function adapter(world: World, values: Readonly<Record<string, Given>> = {}): string {
  return world.embed(ADAPTER, {
    ResourceType: 10,
    ResourceSubType: 'Microsoft:Hyper-V:Synthetic Ethernet Port',
    StaticMacAddress: false,
    ...values,
  })
}

export function connection(world: World, adapterPath: string, switchPath: string): string {
  return world.embed(ALLOCATION, {
    ResourceType: 33,
    ResourceSubType: 'Microsoft:Hyper-V:Ethernet Connection',
    Parent: adapterPath,
    HostResource: [switchPath],
    EnabledState: 2,
  })
}

/** Adds an adapter and connects it; the paths of both. */
export async function connect(world: World, vm: Vm, switchPath: string): Promise<readonly [string, string]> {
  const [adapterPath = ''] = await world.add(vm, adapter(world))
  const [connectionPath = ''] = await world.add(vm, connection(world, adapterPath, switchPath))
  return [adapterPath, connectionPath]
}

/** The allocations of a switch's own ports, over its settings, as the recipe counts them. */
export function portsUnder(world: World, switchPath: string): Instance[] {
  const [settings] = world.repository.associators(nameAt(switchPath), { resultClass: SWITCH_SETTINGS })
  assert(settings !== undefined)
  return world.repository.associators(
    { className: SWITCH_SETTINGS, keys: new Map([['InstanceID', textIn(settings, 'InstanceID')]]) },
    { resultClass: ALLOCATION },
  )
}
