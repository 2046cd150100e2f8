import { isIPv4, isIPv6 } from 'node:net'
import type { CimValue } from '../cim/model.ts'
import type { Host } from './host.ts'
import { guestAnswers } from './life.ts'
import type { Settings, Vm } from './model.ts'
import { type OperationError, Return } from './operation-error.ts'
import { fractionOf } from './random.ts'
import { changing, type Given, type ResourceContext, refusal } from './resources-context.ts'
import { textGiven, textsGiven } from './resources-given.ts'
import { sameId } from './resources-ids.ts'
import { type Owned, type Owner, ownVm } from './resources-owner.ts'
import { idOf, isGuestNetwork, kindOf, makeSettings, withValues } from './resources-settings.ts'
import { textIn, textsIn } from './settings.ts'

// What the guest's network is, and what the host told it to be. The latter stands in the configuration, within the
// adapter, and is shown under an InstanceID of its own.

/** Msvm_GuestNetworkAdapterConfiguration.ProtocolIFType. Source: the ValueMap of the MOF. */
export const Protocol = { ipv4: 4096, ipv6: 4097, both: 4098 } as const

const CLASS = 'Msvm_GuestNetworkAdapterConfiguration'
const ADDRESSES_MAX = 64

/** The InstanceID that is shown. Source: observed. */
export const guestNetworkId = (vmId: string, adapter: Settings): string =>
  `Microsoft:GuestNetwork\\${vmId}\\${idOf(adapter).split('\\')[1] ?? ''}`

/** The InstanceID within the configuration. */
const keptId = (adapter: Settings): string => `${idOf(adapter)}\\G`

/** The synthetic adapters of a machine or snapshot. */
export function adaptersOf(host: Host, { configuration }: Pick<Owner, 'configuration'>): Settings[] {
  return configuration.resources.filter(one => kindOf(one, host.state.build) === 'syntheticPort')
}

/** The network of a guest at one adapter: as it was told, and while it runs as it is. */
export function guestNetworkOf(host: Host, vm: Vm, adapter: Settings): Settings {
  const told = vm.configuration.resources.find(one => isGuestNetwork(one) && sameId(idOf(one), keptId(adapter)))
  const settings = told ?? makeSettings(CLASS, { DHCPEnabled: true, ProtocolIFType: Protocol.ipv4 })
  const isUp = guestAnswers(host, vm) && isConnected(host, vm, adapter)
  const leased = isUp && settings.values['DHCPEnabled'] === true ? lease(adapter) : {}
  return withValues(settings, { ...leased, InstanceID: guestNetworkId(vm.id, adapter) })
}

function isConnected(host: Host, vm: Vm, adapter: Settings): boolean {
  return vm.configuration.resources.some(
    one =>
      kindOf(one, host.state.build) === 'connection' &&
      sameId(idOf(one), `${idOf(adapter)}\\C`) &&
      one.values['EnabledState'] === 2 &&
      textsIn(one, 'HostResource').some(path => path !== ''),
  )
}

// What a guest gets from a DHCP server that is not there: the adapter's address decides it.
function lease(adapter: Settings): Readonly<Record<string, CimValue>> {
  const place = Math.floor(fractionOf(`lease of ${textIn(adapter, 'Address')}`) * 0xfff0) + 2
  return {
    IPAddresses: [`172.16.${place >> 8}.${place & 0xff}`],
    Subnets: ['255.255.0.0'],
    DefaultGateways: ['172.16.0.1'],
    DNSServers: ['172.16.0.1'],
    ProtocolIFType: Protocol.ipv4,
  }
}

/** Tells the guest of a machine what its network is to be. A guest that does not run finds it when it starts. */
export function setGuestNetwork(context: ResourceContext, vm: Vm, given: readonly Given[]): void {
  const { host } = context
  const owner = ownVm(vm)
  const fail = (): OperationError =>
    refusal(host, owner, { doing: 'modify', kind: 'syntheticPort', reason: 'invalid', code: Return.invalidParameter })
  changing(host, owner, draft => {
    for (const one of given) {
      const id = textGiven(one, 'InstanceID') ?? ''
      const adapter = adaptersOf(host, owner).find(each => sameId(guestNetworkId(vm.id, each), id))
      if (adapter === undefined || !isSound(one)) throw fail()
      const kept = keptId(adapter)
      draft.resources = draft.resources.filter(each => !sameId(idOf(each), kept))
      draft.resources.push(makeSettings(CLASS, { ...valuesOf(one), InstanceID: kept }))
    }
  })
}

function valuesOf(given: Given): Record<string, CimValue> {
  return { DHCPEnabled: false, ProtocolIFType: Protocol.ipv4, ...Object.fromEntries(given.values) }
}

/** Whether addresses are addresses of the protocol, and each has its subnet. */
function isSound(given: Given): boolean {
  const protocol = given.values.get('ProtocolIFType') ?? Protocol.ipv4
  if (!Object.values<CimValue>(Protocol).includes(protocol)) return false
  const lists = ['IPAddresses', 'Subnets', 'DefaultGateways', 'DNSServers'].map(name => textsGiven(given, name) ?? [])
  const [addresses = [], subnets = [], gateways = [], servers = []] = lists
  if (lists.some(list => list.length > ADDRESSES_MAX) || addresses.length !== subnets.length) return false
  const isAddress = (text: string): boolean =>
    (protocol !== Protocol.ipv6 && isIPv4(text)) || (protocol !== Protocol.ipv4 && isIPv6(text))
  const isSubnet = (text: string): boolean => /^\d{1,3}$/.test(text) || isAddress(text)
  return [...addresses, ...gateways, ...servers].every(isAddress) && subnets.every(isSubnet)
}

/** The adapter that a shown InstanceID is about, and whose it is. */
export function findGuestNetwork(host: Host, instanceId: string): Owned | undefined {
  const [, vmId = ''] = /^Microsoft:GuestNetwork\\([0-9A-F-]{36})\\/i.exec(instanceId) ?? []
  const vm = host.vm(vmId)
  if (vm === undefined) return undefined
  const owner = ownVm(vm)
  const settings = adaptersOf(host, owner).find(each => sameId(guestNetworkId(vm.id, each), instanceId))
  return settings === undefined ? undefined : { owner, settings }
}
