import type { Schema } from '../cim/model.ts'
import type { Provider } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { nameOfService, named } from '../host/names.ts'
import { associationOf, providerOf, type Row, rowOf } from './rows.ts'
import { type Service, serviceProvider } from './services.ts'

/** A service that every host has and this one does nothing with: WMI says of its methods that nobody implements them. */
interface IdleService extends Service {
  /** Its settings, where it has any: their class and what they say on a host that nobody has set up for it. */
  readonly settings?: readonly [className: string, values: Row]
}

/**
 * Source: read on Server 2025 are that they are there, the settings of each, and the Name of the last; that methods of the
 * first fail in WMI itself, too. The other Names are a guess.
 */
const IDLE: readonly IdleService[] = [
  {
    className: 'Msvm_VirtualSystemMigrationService',
    name: 'vmms',
    title: 'Virtual System Migration Service',
    description: 'Service for migrating virtual systems',
    settings: [
      'Msvm_VirtualSystemMigrationServiceSettingData',
      {
        AuthenticationType: 0,
        EnableCompression: true,
        EnableSmbTransport: false,
        EnableVirtualSystemMigration: false,
        MaximumActiveStorageMigration: 2,
        MaximumActiveVirtualSystemMigration: 2,
      },
    ],
  },
  {
    className: 'Msvm_ReplicationService',
    name: 'vmms',
    title: 'Hyper-V Replication Service',
    description: 'Service for replicating virtual systems',
    settings: [
      'Msvm_ReplicationServiceSettingData',
      {
        AllowedAuthenticationType: 0,
        CertificateThumbPrint: '',
        HttpPort: 80,
        HttpsPort: 443,
        MonitoringInterval: 43_200,
        MonitoringStartTime: '00000000010000.000000:000',
        RecoveryServerEnabled: false,
      },
    ],
  },
  {
    className: 'Msvm_TerminalService',
    name: 'vmms',
    title: 'Virtual Machine Terminal Service',
    description: 'Service for connecting to the consoles of virtual systems',
    settings: [
      'Msvm_TerminalServiceSettingData',
      { DisableSelfSignedCertificateGeneration: false, ListenerPort: 2179 },
    ],
  },
  {
    className: 'Msvm_AssignableDeviceService',
    name: 'vmms',
    title: 'Assignable Device Service',
    description: 'Service for assigning devices of the host to virtual systems',
  },
  {
    className: 'Msvm_CollectionManagementService',
    name: 'vmms',
    title: 'Collection Management Service',
    description: 'Service for grouping virtual systems',
  },
  {
    className: 'Msvm_ResourcePoolConfigurationService',
    name: 'vmms',
    title: 'Resource Pool Configuration Service',
    description: 'Service for resource pools',
  },
  {
    className: 'Msvm_VirtualSystemReferencePointService',
    name: 'vmms',
    title: 'Reference Point Service',
    description: 'Service for reference points of virtual systems',
  },
  {
    className: 'Msvm_Synthetic3DService',
    name: 'synth3d',
    title: 'Synthetic 3D Service',
    description: 'Service for 3D graphics processors',
  },
]

/** The services of a host that are there and do nothing, as long as nobody sets the host up for them. */
export function idleServices(host: Host, schema: Schema): readonly Provider[] {
  return IDLE.filter(({ className }) => schema.find(className) !== undefined).flatMap(service => [
    serviceProvider(host, schema, service),
    ...settingsOf(host, schema, service),
  ])
}

function settingsOf(host: Host, schema: Schema, { className, name, title, settings }: IdleService): Provider[] {
  if (settings === undefined) return []
  const [settingsClass, values] = settings
  const InstanceID = `Microsoft:${host.state.name}`
  const texts = { Caption: title, Description: `Settings for the ${title}`, ElementName: title }
  return [
    providerOf(schema, {
      classes: {
        [settingsClass]: { list: () => [rowOf(schema, settingsClass, { ...texts, ...values, InstanceID })] },
        Msvm_ElementSettingData: associationOf(host, schema, {
          className: 'Msvm_ElementSettingData',
          ends: ['ManagedElement', 'SettingData'],
          list: () => [[nameOfService(host, className, name), named(settingsClass, { InstanceID })]],
          values: { IsCurrent: 1, IsDefault: 0, IsNext: 0 },
        }),
      },
    }),
  ]
}
