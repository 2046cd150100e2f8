import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Instance } from '../../sim/hyperv/cim/model.ts'
import {
  NIC,
  describeRecipe,
  only,
  PORT,
  printedAll,
  RASD,
  read,
  readAll,
  type RecipeHost,
  SASD,
  type Values,
  VSSD,
} from './recipes-world.ts'

const SCSI = 'Microsoft:Hyper-V:Synthetic SCSI Controller'
const DVD = 'Microsoft:Hyper-V:Synthetic DVD Drive'
const DISK = 'Microsoft:Hyper-V:Synthetic Disk Drive'
const ETHERNET = 'Microsoft:Hyper-V:Synthetic Ethernet Port'

const GUID = '[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}'

/** Where the recipes put their files. */
function fileAt(host: RecipeHost, name: string, bytes: number): string {
  mkdirSync(join(host.folder, 'C', 'work'), { recursive: true })
  writeFileSync(join(host.folder, 'C', 'work', name), Buffer.alloc(bytes))
  return `C:\\work\\${name}`
}

const cloned = (host: RecipeHost, system: Instance, subType: string, changes: Values = {}): Promise<Instance> =>
  host.add(system, host.text(host.template(subType), changes))

const addScsi = (host: RecipeHost, system: Instance) => cloned(host, system, SCSI)

const drive = (host: RecipeHost, system: Instance, subType: string, controller: Instance) =>
  cloned(host, system, subType, { Parent: host.path(controller), AddressOnParent: '0' })

async function switchMade(host: RecipeHost, name = 'Switch'): Promise<Instance> {
  const settings = host.made('Msvm_VirtualEthernetSwitchSettingData', { ElementName: name })
  const { output } = await host.service('Msvm_VirtualEthernetSwitchManagementService', 'DefineSystem', {
    SystemSettings: settings,
    ResourceSettings: [],
  })
  return host.at(output['ResultingSystem'])
}

async function connected(host: RecipeHost, system: Instance): Promise<Instance> {
  const network = await switchMade(host)
  const nic = await cloned(host, system, ETHERNET, { VirtualSystemIdentifiers: [`{${crypto.randomUUID()}}`] })
  return cloned(host, system, 'Microsoft:Hyper-V:Ethernet Connection', {
    Parent: host.path(nic),
    HostResource: [host.path(network)],
  })
}

describeRecipe('add_scsi: a controller is cloned from the template, and there is one then', async host => {
  const system = await host.define()
  assert.equal(host.resources(system, SCSI).length, 0)

  const controller = await addScsi(host, system)

  assert.match(read(controller, 'InstanceID'), new RegExp(`^Microsoft:${read(system, 'Name')}\\\\${GUID}\\\\0$`))
  assert.deepEqual([read(controller, 'ResourceType'), host.resources(system, SCSI).length], ['6', 1])
  await host.destroy(system)
})

describeRecipe('add_dvd and dvd_insert_iso: a drive on a new controller, an ISO in it, and out again', async host => {
  const system = await host.define()
  const controller = await addScsi(host, system)
  const dvd = await drive(host, system, DVD, controller)
  assert.equal(read(dvd, 'InstanceID'), `${read(controller, 'InstanceID')}\\0\\D`)
  assert.deepEqual(readAll(dvd, ['ResourceType', 'ResourceSubType', 'AddressOnParent']), {
    ResourceType: '16',
    ResourceSubType: DVD,
    AddressOnParent: '0',
  })
  assert.equal(read(dvd, 'Parent'), host.path(controller))
  const iso = fileAt(host, 'test.iso', 2048)

  const medium = await cloned(host, system, 'Microsoft:Hyper-V:Virtual CD/DVD Disk', {
    Parent: host.path(dvd),
    HostResource: [iso],
  })

  assert.equal(read(medium, 'InstanceID'), `${read(controller, 'InstanceID')}\\0\\L`)
  assert.equal(read(host.part(system, SASD), 'HostResource'), iso)
  assert.equal(await host.modify(host.again(medium), { HostResource: [] }), '0')
  await host.destroy(system)
})

describeRecipe('attach_vhd: a disk goes into a drive, and not straight under the controller', async host => {
  const path = 'C:\\work\\disk.vhdx'
  fileAt(host, 'other', 1)
  const disk = host.made('Msvm_VirtualHardDiskSettingData', {
    Type: 3,
    Format: 3,
    Path: path,
    MaxInternalSize: 1024n ** 3n,
  })
  const made = await host.service('Msvm_ImageManagementService', 'CreateVirtualHardDisk', {
    VirtualDiskSettingData: disk,
  })
  assert.equal(made.how, '4096/7')
  const system = await host.define()
  const controller = await addScsi(host, system)
  const template = host.template('Microsoft:Hyper-V:Virtual Hard Disk')
  const under = (parent: Instance) => host.text(template, { Parent: host.path(parent), HostResource: [path] })

  const straight = await host.adding(system, under(controller))
  assert.equal(straight.how, '4096/10/32768')
  assert.match(straight.error, /Virtual Hard Disk/)
  await host.add(system, under(await drive(host, system, DISK, controller)))

  const image = host.part(system, SASD)
  assert.deepEqual(readAll(image, ['HostResource', 'ResourceType']), { HostResource: path, ResourceType: '31' })
  await host.destroy(system)
})

describeRecipe('gen1_floppy: a floppy goes into the drive that is there from the beginning', async host => {
  const system = await host.define(1)
  const controller = only(host.parts(system, RASD).filter(part => read(part, 'ResourceType') === '1'))
  assert.equal(read(controller, 'OtherResourceType'), 'Microsoft:Hyper-V:Virtual Diskette Controller')
  const diskette = only(host.resources(system, 'Microsoft:Hyper-V:Synthetic Diskette Drive'))
  assert.equal(read(diskette, 'ResourceType'), '14')
  fileAt(host, 'other', 1)
  const path = 'C:\\work\\gen1.vfd'
  const made = await host.service('Msvm_ImageManagementService', 'CreateVirtualFloppyDisk', { Path: path })
  assert.equal(made.how, '4096/7')

  const floppy = await host.add(
    system,
    host.made(SASD, {
      ResourceType: 31,
      ResourceSubType: 'Microsoft:Hyper-V:Virtual Floppy Disk',
      Parent: host.path(diskette),
      HostResource: [path],
    }),
  )

  assert.equal(read(floppy, 'HostResource'), path)
  await host.destroy(system)
})

describeRecipe(
  'add_nic: a bare adapter is refused, one cloned from the template gets a second identifier',
  async host => {
    const system = await host.define()
    assert.equal((await host.adding(system, host.made(NIC, {}))).how, '4096/10/32773')
    assert.equal(host.parts(system, NIC).length, 0)
    const own = '{70BC1B6D-0F0F-4F0F-8F0F-0123456789AB}'

    const nic = await cloned(host, system, ETHERNET, {
      ElementName: 'WMITEST_NIC',
      VirtualSystemIdentifiers: [own],
      StaticMacAddress: false,
    })

    const [first, second, ...more] = read(nic, 'VirtualSystemIdentifiers').split(',')
    assert.equal(first?.toUpperCase(), own)
    assert.match(second ?? '', new RegExp(`^{${GUID}}$`))
    assert.deepEqual([more.length, read(nic, 'ElementName'), host.parts(system, NIC).length], [0, 'WMITEST_NIC', 1])
    await host.destroy(system)
  },
)

describeRecipe('mac_static: an adapter has no address until it is given one', async host => {
  const system = await host.define()
  const nic = await cloned(host, system, ETHERNET)
  assert.deepEqual(readAll(nic, ['StaticMacAddress', 'Address']), {
    StaticMacAddress: 'false',
    Address: '000000000000',
  })

  assert.equal(await host.modify(nic, { StaticMacAddress: true, Address: '00155D7A5C01' }), '0')

  assert.deepEqual(readAll(host.again(nic), ['StaticMacAddress', 'Address']), {
    StaticMacAddress: 'true',
    Address: '00155D7A5C01',
  })
  await host.destroy(system)
})

describeRecipe('connect_switch: a connection names its adapter and its switch, and is enabled', async host => {
  const system = await host.define()
  const connection = await connected(host, system)

  const nic = host.part(system, NIC)
  const network = only(host.world.v2.list('Msvm_VirtualEthernetSwitch'))
  assert.equal(read(connection, 'InstanceID'), `${read(nic, 'InstanceID')}\\C`)
  assert.deepEqual(readAll(connection, ['HostResource', 'Parent', 'EnabledState']), {
    HostResource: host.path(network),
    Parent: host.path(nic),
    EnabledState: '2',
  })
  await host.destroy(system)
})

describeRecipe(
  'create_switch: what a connection is called need not be said, and what is unknown is told apart',
  async host => {
    const system = await host.define(2, 'R & D')
    const network = await switchMade(host)
    const nic = await cloned(host, system, ETHERNET)
    const link = { Parent: host.path(nic), HostResource: [host.path(network)], EnabledState: 2 }

    const unknown = await host.adding(system, host.made(PORT, link))
    const connection = await host.add(system, host.made(PORT, { ...link, ResourceType: 33 }))

    assert.equal(unknown.how, '4096/10/32773')
    assert.match(unknown.error, /^'R & D' failed to add resources\. /)
    assert.equal(read(connection, 'ResourceSubType'), 'Microsoft:Hyper-V:Ethernet Connection')
    const missing = await host.adding(
      system,
      host.text(host.template('Microsoft:Hyper-V:Virtual Hard Disk'), {
        Parent: host.path(nic),
        HostResource: ['C:\\no.vhdx'],
      }),
    )
    assert.match(missing.error, /^'R & D' failed to add device 'Virtual Hard Disk'\. /)
    await host.destroy(system)
  },
)

interface FeatureRecipe {
  readonly recipe: string
  readonly of: string
  readonly set: Values
  /** What was read where it is more than what was set. */
  readonly after?: Readonly<Record<string, string>>
}

const FEATURES: readonly FeatureRecipe[] = [
  { recipe: 'vlan_set', of: 'Msvm_EthernetSwitchPortVlanSettingData', set: { OperationMode: 1, AccessVlanId: 42 } },
  {
    recipe: 'net_bandwidth',
    of: 'Msvm_EthernetSwitchPortBandwidthSettingData',
    set: { Limit: 100_000_000n, Reservation: 10_000_000n },
    after: { Weight: '0' },
  },
  {
    recipe: 'nic_acl',
    of: 'Msvm_EthernetSwitchPortExtendedAclSettingData',
    set: { Direction: 1, Action: 2, RemoteIPAddress: '192.168.50.0/24', Protocol: 'tcp', Weight: 100, Stateful: false },
    after: { LocalIPAddress: 'ANY', RemotePort: 'ANY' },
  },
  {
    recipe: 'nic_isolation_pvlan',
    of: 'Msvm_EthernetSwitchPortIsolationSettingData',
    set: { IsolationMode: 3, AllowUntaggedTraffic: true, DefaultIsolationId: 200 },
    after: { EnableMultiTenantStack: 'false' },
  },
  {
    recipe: 'nic_security',
    of: 'Msvm_EthernetSwitchPortSecuritySettingData',
    set: { AllowMacSpoofing: true, EnableDhcpGuard: true, EnableRouterGuard: true, AllowTeaming: true },
  },
]

for (const { recipe, of, set, after = {} } of FEATURES) {
  describeRecipe(
    `${recipe}: a port takes ${of} from the management service, and not from that of switches`,
    async host => {
      const system = await host.define()
      const connection = await connected(host, system)
      const input = {
        AffectedConfiguration: host.path(connection),
        FeatureSettings: [host.text(host.feature(of), set)],
      }
      const wrong = await host.service('Msvm_VirtualEthernetSwitchManagementService', 'AddFeatureSettings', input)
      assert.equal(wrong.how, '4096/10/32773')

      const added = await host.manage('AddFeatureSettings', input)

      assert.equal(added.how, '0', added.error)
      const [feature] = host.world.v2.associators(
        { className: PORT, keys: new Map([['InstanceID', read(connection, 'InstanceID')]]) },
        { resultClass: of },
      )
      assert.ok(feature)
      const expected = { ...printedAll(set), ...after }
      assert.deepEqual(readAll(feature, Object.keys(expected)), expected)
      if (recipe === 'nic_isolation_pvlan') {
        const changed = await host.manage('ModifyFeatureSettings', {
          FeatureSettings: [host.text(feature, { DefaultIsolationId: 250 })],
        })
        assert.deepEqual([changed.how, read(host.again(feature), 'DefaultIsolationId')], ['0', '250'])
      }
      await host.destroy(system)
    },
  )
}

describeRecipe('nic_sriov_offload: without SR-IOV no offload is applied, with the code that was seen', async host => {
  const system = await host.define()
  const connection = await connected(host, system)
  const offload = host.feature('Msvm_EthernetSwitchPortOffloadSettingData')
  assert.deepEqual(
    readAll(offload, ['IOVOffloadWeight', 'VMQOffloadWeight', 'IPSecOffloadLimit', 'IOVQueuePairsRequested']),
    {
      IOVOffloadWeight: '0',
      VMQOffloadWeight: '100',
      IPSecOffloadLimit: '512',
      IOVQueuePairsRequested: '1',
    },
  )

  const added = await host.manage('AddFeatureSettings', {
    AffectedConfiguration: host.path(connection),
    FeatureSettings: [host.text(offload, { VMQOffloadWeight: 50 })],
  })

  assert.equal(added.how, '4096/10/32773')
  assert.match(added.error, /0x80070032/)
  await host.destroy(system)
})

describeRecipe('create_switch: an internal switch takes a job and has one port, to the host', async host => {
  const service = 'Msvm_VirtualEthernetSwitchManagementService'
  const self = only(host.rows('SELECT * FROM Msvm_ComputerSystem WHERE Name = __SERVER'))
  const port = host.made(PORT, { HostResource: [host.path(self)] })
  const settings = host.made('Msvm_VirtualEthernetSwitchSettingData', { ElementName: 'WMITEST_create_switch' })

  const made = await host.service(service, 'DefineSystem', { SystemSettings: settings, ResourceSettings: [port] })

  assert.equal(made.how, '4096/7')
  const network = only(
    host.rows("SELECT * FROM Msvm_VirtualEthernetSwitch WHERE ElementName = 'WMITEST_create_switch'"),
  )
  const own = only(host.related(network, 'Msvm_SettingsDefineState', 'Msvm_VirtualEthernetSwitchSettingData'))
  const allocated = only(
    host.world.v2.associators(
      { className: own.class.name, keys: new Map([['InstanceID', read(own, 'InstanceID')]]) },
      { resultClass: PORT },
    ),
  )
  assert.deepEqual(readAll(allocated, ['HostResource', 'ResourceSubType', 'ResourceType']), {
    HostResource: host.path(self),
    ResourceSubType: 'Microsoft:Hyper-V:Ethernet Connection',
    ResourceType: '33',
  })
  assert.equal((await host.service(service, 'DestroySystem', { AffectedSystem: host.path(network) })).how, '4096/7')
  assert.equal(host.world.v2.list('Msvm_VirtualEthernetSwitch').length, 0)
})

describeRecipe('serial_com and serial_pipe_full: both serial ports are there, and each takes a pipe', async host => {
  for (const generation of [1, 2] as const) {
    const system = await host.define(generation)
    const ports = host.parts(system, 'Msvm_SerialPortSettingData')
    assert.deepEqual(
      ports.map(port => read(port, 'ElementName')),
      ['COM 1', 'COM 2'],
    )
    for (const [index, port] of ports.entries()) {
      const id = `Microsoft:${read(system, 'Name')}\\8E3A359F-559A-4B6A-98A9-1690A6100ED7\\${index}`
      assert.equal(read(port, 'InstanceID'), id)
      assert.equal(read(port, 'ResourceSubType'), 'Microsoft:Hyper-V:Serial Port')
      const pipe = `\\\\.\\pipe\\wmitest_com${index + 1}`
      assert.equal(await host.modify(port, { Connection: [pipe] }), '0')
      assert.equal(read(host.again(port), 'Connection'), pipe)
    }
    await host.destroy(system)
  }
})

describeRecipe('boot_order: what can be booted from follows the devices, and is put into another order', async host => {
  const system = await host.define()
  assert.equal(read(host.settings(system), 'BootSourceOrder'), '')
  await cloned(host, system, ETHERNET)
  await drive(host, system, DVD, await addScsi(host, system))
  const order = () => read(host.settings(system), 'BootSourceOrder').split(/,(?=\\\\)/)
  const kinds = () =>
    order().map(path => `${read(host.at(path), 'BootSourceType')} ${read(host.at(path), 'BootSourceDescription')}`)
  assert.deepEqual(kinds(), ['2 EFI Network', '1 EFI SCSI Device'])

  assert.equal(await host.modifySystem(host.settings(system), { BootSourceOrder: order().toReversed() }), '0')

  assert.deepEqual(kinds(), ['1 EFI SCSI Device', '2 EFI Network'])
  await host.destroy(system)
})

describeRecipe('battery_setting: a bare battery is refused, and one cloned from the template is there', async host => {
  const system = await host.define()
  const template = host.at(
    '\\\\HVHOST\\root\\virtualization\\v2:Msvm_BatterySettingData.InstanceID=' +
      '"Microsoft:Definition\\\\C7E49E80-13B3-4DF9-A434-B56F579E2A68\\\\Default"',
  )
  assert.deepEqual(readAll(template, ['ResourceType', 'ResourceSubType']), { ResourceType: '1', ResourceSubType: '' })
  assert.equal(host.world.v2.list('Msvm_BatterySettingData').length, 4)
  assert.equal((await host.adding(system, host.made('Msvm_BatterySettingData', {}))).how, '4096/10/32773')

  await host.add(system, host.text(template))

  assert.equal(read(host.part(system, 'Msvm_BatterySettingData'), 'ResourceType'), '1')
  await host.destroy(system)
})

describeRecipe('pmem_controller: a controller for persistent memory is added at once', async host => {
  const system = await host.define()
  const subType = 'Microsoft:Hyper-V:Persistent Memory Controller'
  assert.equal(read(host.template(subType), 'ResourceType'), '32771')

  await cloned(host, system, subType)

  const [controller] = host.resources(system, subType)
  assert.ok(controller)
  assert.match(read(controller, 'InstanceID'), new RegExp(`^Microsoft:${read(system, 'Name')}\\\\${GUID}\\\\0$`))
  await host.destroy(system)
})

/** What a host without the hardware refuses by a job in exception. */
const NO_HARDWARE: readonly (readonly [recipe: string, text: (host: RecipeHost) => string])[] = [
  ['fibre_channel', host => host.text(host.template('Microsoft:Hyper-V:Synthetic FibreChannel Port'))],
  [
    'remotefx_3d',
    host =>
      host.made('Msvm_Synthetic3DDisplayControllerSettingData', {
        ResourceSubType: 'Microsoft:Hyper-V:Synthetic 3D Display Controller',
      }),
  ],
  ['gpu_partition, from an instance that says nothing', host => host.made('Msvm_GpuPartitionSettingData', {})],
]

for (const [recipe, text] of NO_HARDWARE) {
  describeRecipe(`${recipe}: what the host has no hardware for ends in exception with 32773`, async host => {
    const system = await host.define()

    const { how, error } = await host.adding(system, text(host))

    assert.equal(how, '4096/10/32773')
    assert.match(error, /WMITEST/)
    await host.destroy(system)
  })
}

describeRecipe('guest_network_config: a guest is given an address through what belongs to its adapter', async host => {
  const system = await host.define()
  const nic = await cloned(host, system, ETHERNET)
  const [configuration] = host.world.v2.associators(
    { className: NIC, keys: new Map([['InstanceID', read(nic, 'InstanceID')]]) },
    { resultClass: 'Msvm_GuestNetworkAdapterConfiguration' },
  )
  assert.ok(configuration)
  assert.equal(
    read(configuration, 'InstanceID'),
    read(nic, 'InstanceID').replace('Microsoft:', 'Microsoft:GuestNetwork\\'),
  )

  const set = { DHCPEnabled: false, IPAddresses: ['10.0.0.5'], Subnets: ['255.255.255.0'], ProtocolIFType: 4096 }
  const { how } = await host.manage('SetGuestNetworkAdapterConfiguration', {
    ComputerSystem: host.path(system),
    NetworkConfiguration: [host.text(configuration, set)],
  })

  assert.equal(how, '0')
  await host.destroy(system)
})

describeRecipe('e2e_full_vm: one machine has all of it', async host => {
  const system = await host.define()
  const processor = () => host.part(system, 'Msvm_ProcessorSettingData')
  assert.equal(await host.modify(processor(), { VirtualQuantity: 4n, HwThreadsPerCore: 2n }), '0')
  const gaps = { LowMmioGapSize: 512n, HighMmioGapSize: 16_384n, VirtualNumaEnabled: false, SecureBootEnabled: true }
  assert.equal(await host.modifySystem(host.settings(system), gaps), '0')
  const memory = () => host.part(system, 'Msvm_MemorySettingData')
  assert.equal(await host.modify(memory(), { DynamicMemoryEnabled: true, Reservation: 512n, Limit: 2048n }), '0')
  await drive(host, system, DISK, await addScsi(host, system))
  await connected(host, system)

  assert.deepEqual(readAll(host.settings(system), ['LowMmioGapSize', 'HighMmioGapSize', 'SecureBootEnabled']), {
    LowMmioGapSize: '512',
    HighMmioGapSize: '16384',
    SecureBootEnabled: 'true',
  })
  assert.deepEqual(readAll(memory(), ['DynamicMemoryEnabled', 'Reservation', 'Limit']), {
    DynamicMemoryEnabled: 'true',
    Reservation: '512',
    Limit: '2048',
  })
  assert.equal(await host.request(system, 2), '4096/7')
  assert.equal(await host.request(system, 3), '4096/7')
  await host.destroy(system)
  assert.deepEqual(
    [VSSD, RASD, NIC, PORT].map(
      name => host.rows(`SELECT * FROM ${name} WHERE NOT InstanceID LIKE '%Definition%'`).length,
    ),
    [0, 0, 0, 0],
  )
})
