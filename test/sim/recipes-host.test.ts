import assert from 'node:assert/strict'
import { WmiError } from '../../sim/hyperv/cim/provider.ts'
import { describeRecipe, only, printed, read, readAll, RASD, SASD, VSSD } from './recipes-world.ts'

describeRecipe(
  'def_gen1, def_gen2 and read_vm_list: machines of both generations are there, and the host is told from them',
  async host => {
    for (const generation of [1, 2] as const) {
      const system = await host.define(generation, `WMITEST_${generation}`)
      assert.equal(read(host.settings(system), 'VirtualSystemSubType'), `Microsoft:Hyper-V:SubType:${generation}`)
      assert.deepEqual(readAll(system, ['ElementName', 'EnabledState']), {
        ElementName: `WMITEST_${generation}`,
        EnabledState: '3',
      })
      assert.match(read(system, 'Name'), /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
    }

    const hosts = host
      .rows('SELECT * FROM Msvm_ComputerSystem')
      .filter(one => read(one, 'Name') === read(one, 'ElementName'))

    assert.equal(host.related(only(hosts), 'Msvm_SettingsDefineState', VSSD).length, 0)
    assert.equal(host.rows('SELECT * FROM Msvm_ComputerSystem').length, 3)
  },
)

describeRecipe('read_vm_settings: an empty machine of generation 2 has four resources, all of type 13', async host => {
  const system = await host.define()

  assert.deepEqual(readAll(host.part(system, 'Msvm_ProcessorSettingData'), ['VirtualQuantity', 'Limit', 'Weight']), {
    VirtualQuantity: '1',
    Limit: '100000',
    Weight: '100',
  })
  assert.deepEqual(
    host.parts(system, RASD).map(part => `${read(part, 'ResourceType')} ${read(part, 'ResourceSubType')}`),
    [
      '13 Microsoft:Hyper-V:Virtual Keyboard',
      '13 Microsoft:Hyper-V:Serial Controller',
      '13 Microsoft:Hyper-V:Synthetic Mouse',
      '13 Microsoft:Hyper-V:Synthetic Keyboard',
    ],
  )
  assert.equal(host.parts(system, SASD).length, 0)
})

describeRecipe(
  'read_summary: of a machine that is off only what was asked for is told, and nothing of what runs',
  async host => {
    const system = await host.define()
    // The codes that the recipe sends, whose author took some of them for others.
    const codes = [0, 1, 2, 3, 100, 101, 102, 104, 105, 106, 107, 110]

    const { how, output } = await host.manage('GetSummaryInformation', {
      SettingData: [host.path(host.settings(system))],
      RequestedInformation: codes,
    })

    assert.equal(how, '0')
    const [summary] = [output['SummaryInformation'] ?? null].flat()
    assert.ok(typeof summary === 'object' && summary !== null)
    const names = ['NumberOfProcessors', 'MemoryUsage', 'ProcessorLoad', 'Heartbeat', 'UpTime', 'HealthState']
    assert.deepEqual(readAll(summary, ['ElementName', 'Name', 'EnabledState', ...names]), {
      ElementName: 'WMITEST',
      Name: read(system, 'Name'),
      EnabledState: '3',
      NumberOfProcessors: '',
      MemoryUsage: '',
      ProcessorLoad: '',
      Heartbeat: '',
      UpTime: '0',
      HealthState: '',
    })
  },
)

describeRecipe('state_change and save_restore_state: what can be asked for, and what states of v1 give', async host => {
  const system = await host.define()
  const state = () => read(host.again(system), 'EnabledState')
  for (const refused of [32_773, 32_769, 6]) {
    assert.deepEqual([await host.request(system, refused), state()], ['32775', '3'])
  }

  const seen: string[] = []
  for (const wanted of [2, 6, 2, 3]) seen.push(`${await host.request(system, wanted)} ${state()}`)

  assert.deepEqual(seen, ['4096/7 2', '4096/7 6', '4096/7 2', '4096/7 3'])
  await host.destroy(system)
})

describeRecipe(
  'keyboard_input and cad_input: there is a keyboard while a machine runs, and it takes all',
  async host => {
    const system = await host.define()
    const where = `SystemName = '${read(system, 'Name')}'`
    const keyboards = () => host.rows(`SELECT * FROM Msvm_Keyboard WHERE ${where}`)
    assert.equal(keyboards().length, 0)
    assert.equal(await host.request(system, 2), '4096/7')

    const keyboard = only(keyboards())

    assert.deepEqual(readAll(keyboard, ['DeviceID', 'Layout', 'UnicodeSupported', 'NumberOfFunctionKeys']), {
      DeviceID: 'Microsoft:DE6CDC86-E1FB-4940-801B-C3C1A26C4DA4',
      Layout: '00000409',
      UnicodeSupported: 'true',
      NumberOfFunctionKeys: '12',
    })
    const call = async (method: string, input: Parameters<typeof host.invoke>[2] = {}) => {
      const { how, output } = await host.invoke(keyboard, method, input)
      return `${how} ${printed(output['KeyState'] ?? null)}`.trim()
    }
    assert.equal(await call('TypeText', { AsciiText: 'Hello' }), '0')
    assert.equal(await call('TypeText', { AsciiText: 'Grüße' }), '1')
    assert.equal(await call('TypeKey', { KeyCode: 13 }), '0')
    assert.equal(await call('PressKey', { KeyCode: 65 }), '0')
    assert.equal(await call('IsKeyPressed', { KeyCode: 65 }), '0 true')
    assert.equal(await call('ReleaseKey', { KeyCode: 65 }), '0')
    assert.equal(await call('PressKey', { KeyCode: 17 }), '0')
    assert.equal(await call('IsKeyPressed', { KeyCode: 17 }), '0 false')
    assert.equal(await call('IsKeyPressed', { KeyCode: 162 }), '0 true')
    assert.equal(await call('TypeScancodes', { Scancodes: [0x1e, 0x9e] }), '0')
    assert.equal(await call('TypeCtrlAltDel'), '0')
  },
)

describeRecipe(
  'mouse_input: without a driver in the guest a mouse refuses all, by the codes that were seen',
  async host => {
    const system = await host.define()
    assert.equal(host.world.host.vm(read(system, 'Name'))?.guest, 'none')
    const where = `SystemName = '${read(system, 'Name')}'`
    assert.equal(host.rows(`SELECT * FROM Msvm_SyntheticMouse WHERE ${where}`).length, 0)
    assert.equal(await host.request(system, 2), '4096/7')
    const mouse = only(host.rows(`SELECT * FROM Msvm_SyntheticMouse WHERE ${where}`))
    assert.equal(read(mouse, 'DeviceID'), 'Microsoft:58F75A6D-D949-4320-99E1-A2A2576D581C')

    const position = { HorizontalPosition: 32_768, VerticalPosition: 32_768 }
    assert.equal((await host.invoke(mouse, 'SetAbsolutePosition', position)).how, '32773')
    for (const ButtonIndex of [1, 2, 3])
      assert.equal((await host.invoke(mouse, 'ClickButton', { ButtonIndex })).how, '32768')
    const scrolled = await host.invoke(mouse, 'SetScrollPosition', { ScrollPositionDelta: 120 })
    assert.equal(scrolled.how, '32768')
  },
)

describeRecipe(
  'graceful_shutdown and guest_service_control: what a guest provides is not there without one',
  async host => {
    await host.define()
    for (const name of ['Msvm_ShutdownComponent', 'Msvm_GuestServiceInterfaceComponent', 'Msvm_VssService']) {
      assert.equal(host.world.v2.list(name).length, 0, name)
    }
  },
)

describeRecipe('kvp_push: what the host gives a guest is read back from the settings at once', async host => {
  const system = await host.define()
  const item = host.made('Msvm_KvpExchangeDataItem', { Name: 'WMITEST_HostKey', Data: 'HelloFromHost123', Source: 0 })

  const { how } = await host.manage('AddKvpItems', { TargetSystem: host.path(system), DataItems: [item] })

  assert.equal(how, '4096/7')
  const items = read(host.part(system, 'Msvm_KvpExchangeComponentSettingData'), 'HostExchangeItems')
  assert.match(items, /WMITEST_HostKey/)
  assert.match(items, /HelloFromHost123/)
  assert.equal(host.world.v2.list('Msvm_KvpExchangeComponent').length, 0)
})

describeRecipe('thumbnail_screenshot: a machine that is off has no picture, of whatever size', async host => {
  const settings = host.path(host.settings(await host.define()))
  for (const [WidthPixels, HeightPixels] of [
    [80, 60],
    [1024, 768],
  ] as const) {
    const { how, output } = await host.manage('GetVirtualSystemThumbnailImage', {
      TargetSystem: settings,
      WidthPixels,
      HeightPixels,
    })
    assert.deepEqual([how, printed(output['ImageData'] ?? null)], ['32775', ''])
  }
})

describeRecipe('host_settings: the host has an owner that can be changed and changed back', async host => {
  const settings = () => only(host.world.v2.list('Msvm_VirtualSystemManagementServiceSettingData'))
  assert.deepEqual(
    readAll(settings(), [
      'DefaultVirtualHardDiskPath',
      'DefaultExternalDataRoot',
      'NumaSpanningEnabled',
      'PrimaryOwnerName',
    ]),
    {
      DefaultVirtualHardDiskPath: 'C:\\ProgramData\\Microsoft\\Windows\\Virtual Hard Disks',
      DefaultExternalDataRoot: 'C:\\ProgramData\\Microsoft\\Windows\\Hyper-V',
      NumaSpanningEnabled: 'true',
      PrimaryOwnerName: 'Administrators',
    },
  )

  for (const PrimaryOwnerName of ['WMITEST_owner_probe', 'Administrators']) {
    const how = await host.how('ModifyServiceSettings', { SettingData: host.text(settings(), { PrimaryOwnerName }) })
    assert.deepEqual([how, read(settings(), 'PrimaryOwnerName')], ['0', PrimaryOwnerName])
  }
})

describeRecipe('host_numa_caps and processor_topology: a host of one socket is one node', async host => {
  const node = only(host.world.v2.list('Msvm_NumaNode'))

  const cpus = host.world.v2.list('Msvm_Processor').length
  const free = read(node, 'CurrentlyConsumableMemoryBlocks')
  assert.equal(read(node, 'NodeID'), 'Microsoft:PhysicalNode\\0')
  assert.equal(read(node, 'NumberOfLogicalProcessors'), String(cpus))
  assert.ok(Number(free) > 0)
  const system = await host.define()
  assert.equal(await host.request(system, 2), '4096/7')
  const busy = only(host.world.v2.list('Msvm_NumaNode'))
  assert.equal(read(busy, 'CurrentlyAssignedVirtualProcessors'), '1')
  assert.ok(Number(read(busy, 'CurrentlyConsumableMemoryBlocks')) < Number(free))
})

describeRecipe('host_pools: 23 pools, that of processors apart from them, and 25 rows of capabilities', async host => {
  const { v2 } = host.world
  const exactly = (name: string) => v2.list(name).filter(one => one.class.name === name).length
  if (host.world.host.state.build >= 26_100) {
    assert.deepEqual([exactly('Msvm_ResourcePool'), exactly('Msvm_AllocationCapabilities')], [23, 25])
  }
  const processors = only(v2.list('Msvm_ProcessorPool'))
  const logical = host.rows("SELECT * FROM Msvm_Processor WHERE SystemName = 'HVHOST'").length
  assert.deepEqual(readAll(processors, ['MaxConsumableResource', 'AllocationUnits']), {
    MaxConsumableResource: String(logical * 100_000),
    AllocationUnits: 'percent / 1000',
  })
})

describeRecipe(
  'live_migration_config, replication_caps and enhanced_session: services nobody set up say so',
  async host => {
    const { v2 } = host.world
    assert.deepEqual(
      readAll(only(v2.list('Msvm_VirtualSystemMigrationServiceSettingData')), [
        'EnableVirtualSystemMigration',
        'MaximumActiveVirtualSystemMigration',
        'MaximumActiveStorageMigration',
        'AuthenticationType',
        'EnableCompression',
        'EnableSmbTransport',
      ]),
      {
        EnableVirtualSystemMigration: 'false',
        MaximumActiveVirtualSystemMigration: '2',
        MaximumActiveStorageMigration: '2',
        AuthenticationType: '0',
        EnableCompression: 'true',
        EnableSmbTransport: 'false',
      },
    )
    assert.deepEqual(
      readAll(only(v2.list('Msvm_ReplicationServiceSettingData')), [
        'RecoveryServerEnabled',
        'AllowedAuthenticationType',
        'HttpPort',
        'HttpsPort',
        'MonitoringInterval',
        'MonitoringStartTime',
      ]),
      {
        RecoveryServerEnabled: 'false',
        AllowedAuthenticationType: '0',
        HttpPort: '80',
        HttpsPort: '443',
        MonitoringInterval: '43200',
        MonitoringStartTime: '00000000010000.000000:000',
      },
    )
    assert.equal(read(only(v2.list('Msvm_TerminalServiceSettingData')), 'ListenerPort'), '2179')
    assert.equal(read(only(v2.list('Msvm_Synthetic3DService')), 'Name'), 'synth3d')
  },
)

describeRecipe('migration_check: the service is there, and what it would do is implemented by nobody', async host => {
  const system = await host.define()
  const service = only(host.world.v2.list('Msvm_VirtualSystemMigrationService'))
  assert.ok(service.class.method('CheckVirtualSystemIsMigratableToHost') !== undefined)
  assert.equal(host.world.v2.method(service, 'CheckVirtualSystemIsMigratableToHost'), undefined)
  assert.ok(read(system, 'Name') !== '')
})

describeRecipe('container_image, read_gpu and read_dda_pool: what the host has not', async host => {
  assert.throws(() => host.world.v2.list('Msvm_ContainerImageManagementService'), WmiError)
  for (const name of [
    'Msvm_PartitionableGpu',
    'Msvm_Physical3dGraphicsProcessor',
    'Msvm_PciExpress',
    'Msvm_ExternalFcPort',
  ]) {
    assert.equal(host.world.v2.list(name).length, 0, name)
  }
  assert.equal(read(host.template('Microsoft:Hyper-V:Virtual Pci Express Port'), 'ResourceType'), '32769')
})

describeRecipe('config_version: a machine that is up to date is brought there once more', async host => {
  const system = await host.define()
  const version = read(host.settings(system), 'Version')
  if (host.world.host.state.build === 26_100) assert.equal(version, '12.0')

  const how = await host.how('UpgradeSystemVersion', { ComputerSystem: host.path(system), UpgradeSettingData: '' })

  assert.deepEqual([how, read(host.settings(system), 'Version')], ['4096/7', version])
})

describeRecipe('guest_isolation: a kind of isolation that the host has not is taken and not kept', async host => {
  for (const GuestStateIsolationType of [0, 2, 3, 4, 16]) {
    const settings = {
      ElementName: 'WMITEST',
      VirtualSystemSubType: 'Microsoft:Hyper-V:SubType:2',
      GuestStateIsolationType,
    }
    const { how, output } = await host.manage('DefineSystem', { SystemSettings: host.made(VSSD, settings) })
    const system = host.at(output['ResultingSystem'])
    assert.deepEqual([how, read(host.settings(system), 'GuestStateIsolationType')], ['0', '0'])
    assert.equal(await host.modifySystem(host.settings(system), { GuestStateIsolationType }), '0')
    assert.equal(read(host.settings(system), 'GuestStateIsolationType'), '0')
    await host.destroy(system)
  }
  // Isolation by software needs no more than to be on.
  const system = await host.define()
  const isolated = { GuestStateIsolationEnabled: true, GuestStateIsolationType: 1 }
  assert.equal(await host.modifySystem(host.settings(system), isolated), '0')
  assert.equal(read(host.settings(system), 'GuestStateIsolationType'), '1')
})

describeRecipe('key_storage_drive: it is turned on in the security settings, and adds no drive', async host => {
  const system = await host.define(1)
  const security = () =>
    only(
      host.world.v2
        .list('Msvm_SecuritySettingData')
        .filter(one => read(one, 'InstanceID').includes(read(system, 'Name'))),
    )
  assert.equal(read(security(), 'KsdEnabled'), 'false')

  const { how } = await host.service('Msvm_SecurityService', 'ModifySecuritySettings', {
    SecuritySettingData: host.text(security(), { KsdEnabled: true }),
  })

  assert.deepEqual([how, read(security(), 'KsdEnabled')], ['0', 'true'])
  assert.equal(host.resources(system, 'Microsoft:Hyper-V:Synthetic Disk Drive').length, 0)
})

describeRecipe('vtpm_security: a virtual TPM wants a key protector first', async host => {
  const system = await host.define()
  const security = () =>
    only(
      host.world.v2
        .list('Msvm_SecuritySettingData')
        .filter(one => read(one, 'InstanceID').includes(read(system, 'Name'))),
    )
  assert.match(read(security(), 'InstanceID'), /\\EA6302BF-/)
  const enable = () =>
    host.service('Msvm_SecurityService', 'ModifySecuritySettings', {
      SecuritySettingData: host.text(security(), { TpmEnabled: true }),
    })
  assert.match((await enable()).how, /^4096\/10/)

  const protector = { SecuritySettingData: host.text(security()), KeyProtector: [1, 2, 3] }
  assert.equal((await host.service('Msvm_SecurityService', 'SetKeyProtector', protector)).how, '0')

  assert.deepEqual([(await enable()).how, read(security(), 'TpmEnabled')], ['0', 'true'])
})

describeRecipe(
  'metrics_enable: four values while metrics are on, all 0 at first, and none when they are off',
  async host => {
    const system = await host.define()
    const control = (MetricCollectionEnabled: number) =>
      host.service('Msvm_MetricService', 'ControlMetrics', { Subject: host.path(system), MetricCollectionEnabled })
    const values = () =>
      host.related(system, 'Msvm_MetricForME', 'CIM_BaseMetricValue').map(one => read(one, 'MetricValue'))
    assert.equal(host.world.v2.list('Msvm_BaseMetricDefinition').length, 10)

    assert.equal((await control(2)).how, '0')
    assert.deepEqual(values(), ['0', '0', '0', '0'])

    assert.equal((await control(3)).how, '0')
    assert.deepEqual(values(), [])
  },
)
