import type { Schema } from '../cim/model.ts'
import { sameName } from '../cim/path.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { isActive } from '../host/resources-images.ts'
import { ownerOfId } from '../host/resources-ids.ts'
import { nameOfStorageDevice } from '../v2/resource-devices.ts'
import { associationOf, keyOf, type Pair, providerOf } from '../v2/rows.ts'
import { portsOfSystem } from './ethernet-ports.ts'
import { nameHere, shownOf } from './resources.ts'

/** What joins the devices of machines that run to the settings that they are made by. */
export function deviceSettings(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      Msvm_ElementSettingData: associationOf(host, schema, {
        className: 'Msvm_ElementSettingData',
        ends: ['ManagedElement', 'SettingData'],
        *list() {
          for (const vm of host.state.vms) yield* pairsOf(host, vm)
        },
        *of(object) {
          const isSettings = schema.isA(object.className, 'CIM_ResourceAllocationSettingData')
          if (!isSettings && !schema.isA(object.className, 'CIM_LogicalDevice')) return
          const id = isSettings ? ownerOfId(keyOf(object, 'InstanceID') ?? '')?.owner : keyOf(object, 'SystemName')
          const vm = host.vm(id ?? '')
          if (vm === undefined) return
          for (const pair of pairsOf(host, vm)) if (pair.some(end => sameName(end, object, schema))) yield pair
        },
        values: { IsCurrent: 1, IsDefault: 0, IsNext: 0 },
      }),
    },
  })
}

function pairsOf(host: Host, vm: Vm): Pair[] {
  if (!isActive(vm)) return []
  const storage = shownOf(host, vm).flatMap(({ settings, name }): Pair[] => {
    const device = nameOfStorageDevice(host, vm, settings)
    return device === undefined ? [] : [[device, name]]
  })
  const ports = portsOfSystem(host, vm.id).flatMap(({ name, of }): Pair[] => {
    const settings = of.kind === 'adapter' ? nameHere(host, of.settings) : undefined
    return settings === undefined ? [] : [[name, settings]]
  })
  return [...storage, ...ports]
}
