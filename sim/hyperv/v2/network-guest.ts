import type { Instance, Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Settings, Vm } from '../host/model.ts'
import { named } from '../host/names.ts'
import { adaptersOf, findGuestNetwork, guestNetworkId, guestNetworkOf } from '../host/resources-guest-network.ts'
import { findOwned, ownVm } from '../host/resources-owner.ts'
import { nameOfResource } from './resources.ts'
import { associationOf, keyOf, type Pair, providerOf, rowOf } from './rows.ts'

const CLASS = 'Msvm_GuestNetworkAdapterConfiguration'

/** What the networks of guests are, one for each synthetic adapter, and what joins them to the adapters' settings. */
export function guestNetworks(host: Host, schema: Schema): Provider {
  const row = (vm: Vm, adapter: Settings): Instance => rowOf(schema, CLASS, guestNetworkOf(host, vm, adapter).values)
  return providerOf(schema, {
    classes: {
      [CLASS]: {
        *list() {
          for (const vm of host.state.vms) for (const adapter of adaptersOf(host, ownVm(vm))) yield row(vm, adapter)
        },
        find(keys) {
          const found = findGuestNetwork(host, keys.get('InstanceID') ?? '')
          return found === undefined ? undefined : row(found.owner.vm, found.settings)
        },
      },
      Msvm_SettingDataComponent: associationOf(host, schema, {
        className: 'Msvm_SettingDataComponent',
        ends: ['GroupComponent', 'PartComponent'],
        *list() {
          for (const vm of host.state.vms) for (const adapter of adaptersOf(host, ownVm(vm))) yield pairOf(vm, adapter)
        },
        *of(object) {
          const id = keyOf(object, 'InstanceID') ?? ''
          const found = findGuestNetwork(host, id) ?? findOwned(host, id)
          if (found === undefined || found.owner.snapshot !== undefined) return
          const { owner, settings } = found
          if (adaptersOf(host, owner).includes(settings)) yield pairOf(owner.vm, settings)
        },
      }),
    },
  })
}

const pairOf = (vm: Vm, adapter: Settings): Pair => [
  nameOfResource(adapter),
  named(CLASS, { InstanceID: guestNetworkId(vm.id, adapter) }),
]
