import type { Instance, Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { nameOfService, nameOfSystem } from '../host/names.ts'
import { associationOf, type Pair, providerOf, rowOf } from './rows.ts'

/** A service of the host. */
export interface Service {
  readonly className: string
  readonly name: string
  /** Caption and ElementName. */
  readonly title: string
  readonly description: string
}

/**
 * An instance of a service, as it is while it runs. Its Name and its titles come with it; the rest is the same for all.
 * Source: Microsoft Learn, Msvm_VirtualSystemManagementService.
 */
export function serviceRow(host: Host, schema: Schema, { className, name, title, description }: Service): Instance {
  return rowOf(schema, className, {
    Caption: title,
    CreationClassName: className,
    Description: description,
    ElementName: title,
    EnabledDefault: 2,
    EnabledState: 2,
    HealthState: 5,
    Name: name,
    OperationalStatus: [2],
    RequestedState: 12,
    StartMode: 'Automatic',
    Started: true,
    Status: 'OK',
    StatusDescriptions: [host.texts.serviceRuns],
    SystemCreationClassName: 'Msvm_ComputerSystem',
    SystemName: host.state.name,
  })
}

/** The class of one service of a host, what joins it to the host, and methods that it has like every service. */
export function serviceProvider(host: Host, schema: Schema, service: Service): Provider {
  const { className, name } = service
  const hosted: Pair = [nameOfSystem(host.state.name), nameOfService(host, className, name)]
  return providerOf(schema, {
    classes: {
      [className]: { list: () => [serviceRow(host, schema, service)] },
      Msvm_HostedService: associationOf(host, schema, {
        className: 'Msvm_HostedService',
        ends: ['Antecedent', 'Dependent'],
        // A service whose class this build does not have is not there.
        list: () => (schema.find(className) === undefined ? [] : [hosted]),
      }),
    },
    methods: {
      // Source: Microsoft Learn, of every service: "This method is not supported."
      [`${className}.StartService`]: () => ({ returnValue: NOT_SUPPORTED }),
      [`${className}.StopService`]: () => ({ returnValue: NOT_SUPPORTED }),
      [`${className}.RequestStateChange`]: () => ({ returnValue: NOT_SUPPORTED }),
    },
  })
}

/** Return value 1 of CIM's own methods. */
const NOT_SUPPORTED = 1

/** What joins the host to its machines: they depend on it. */
export function hostedMachines(host: Host, schema: Schema): Provider {
  const machine = (id: string): Pair => [nameOfSystem(host.state.name), nameOfSystem(id)]
  return providerOf(schema, {
    classes: {
      Msvm_HostedDependency: associationOf(host, schema, {
        className: 'Msvm_HostedDependency',
        ends: ['Antecedent', 'Dependent'],
        *list() {
          for (const { id } of host.state.vms) yield machine(id)
        },
        *of(object) {
          if (!schema.isA(object.className, 'CIM_System')) return
          const name = object.keys.get('Name') ?? ''
          const vm = host.vm(name)
          if (vm !== undefined) yield machine(vm.id)
          else if (name.toUpperCase() === host.state.name) for (const { id } of host.state.vms) yield machine(id)
        },
      }),
    },
  })
}

/** The service that defines, changes and starts machines. */
export const MANAGEMENT: Service = {
  className: 'Msvm_VirtualSystemManagementService',
  name: 'vmms',
  title: 'Virtual System Management Service',
  description: 'Service for creating, manipulating, and managing virtual systems',
}
