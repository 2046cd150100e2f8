import assert from 'node:assert/strict'
import { describeRecipe, printedAll, readAll, type Values, VSSD } from './recipes-world.ts'

/** Settings of a new machine that are read, changed by sending them back whole, and read again. */
interface SettingsRecipe {
  /** The name that its author gave it. */
  readonly recipe: string
  readonly of: string
  readonly generation?: 1 | 2
  /** What was read of the new machine. */
  readonly before: Readonly<Record<string, string>>
  /** What was set, how the call ended, and what was read then where that is not what was set. */
  readonly changes: readonly (readonly [set: Values, how: string, after?: Readonly<Record<string, string>>])[]
}

const PROCESSOR = 'Msvm_ProcessorSettingData'
const MEMORY = 'Msvm_MemorySettingData'
const DISPLAY = 'Msvm_SyntheticDisplayControllerSettingData'
const WINDOWS = '1734C6E8-3154-4DDA-BA5F-A874CC483422'
const UEFI_CA = '272E7447-90A4-4563-A4B9-8E4AB00526CE'

const RECIPES: readonly SettingsRecipe[] = [
  {
    recipe: 'automatic_actions',
    of: VSSD,
    before: {
      AutomaticStartupActionDelay: '00000000000000.000000:000',
      AutomaticRecoveryAction: '3',
      AutomaticCriticalErrorAction: '1',
      AutomaticCriticalErrorActionTimeout: '00000000003000.000000:000',
    },
    changes: [
      [
        {
          AutomaticStartupActionDelay: '00000000000200.000000:000',
          AutomaticRecoveryAction: 2,
          AutomaticCriticalErrorActionTimeout: '00000000001500.000000:000',
        },
        '0',
      ],
      [{ AutomaticCriticalErrorAction: 0 }, '0', { AutomaticCriticalErrorActionTimeout: '' }],
      [{ AutomaticRecoveryAction: 1 }, '4096/10/32773', { AutomaticRecoveryAction: '2' }],
    ],
  },
  {
    recipe: 'checkpoint_type',
    of: VSSD,
    before: { UserSnapshotType: '3' },
    changes: [2, 3, 4, 5].map(type => [{ UserSnapshotType: type }, '0']),
  },
  {
    recipe: 'cpu_compat',
    of: PROCESSOR,
    before: { LimitProcessorFeatures: 'false', LimitCPUID: 'false' },
    changes: [[{ LimitProcessorFeatures: true, LimitCPUID: true }, '0']],
  },
  { recipe: 'cpu_count', of: PROCESSOR, before: { VirtualQuantity: '1' }, changes: [[{ VirtualQuantity: 4n }, '0']] },
  {
    recipe: 'cpu_nested',
    of: PROCESSOR,
    before: { ExposeVirtualizationExtensions: 'false' },
    changes: [[{ ExposeVirtualizationExtensions: true }, '0']],
  },
  {
    recipe: 'cpu_reserve_limit_weight',
    of: PROCESSOR,
    before: { Reservation: '0', Limit: '100000', Weight: '100' },
    changes: [[{ Reservation: 25_000n, Limit: 75_000n, Weight: 200 }, '0']],
  },
  {
    recipe: 'enhanced_session',
    of: VSSD,
    before: { EnhancedSessionTransportType: '0' },
    changes: [[{ EnhancedSessionTransportType: 1 }, '0']],
  },
  {
    recipe: 'gen1_bios',
    of: VSSD,
    generation: 1,
    before: { BootOrder: '1,2,3,0', BIOSNumLock: 'false' },
    changes: [[{ BootOrder: [3, 0, 2, 1], BIOSNumLock: true }, '0']],
  },
  {
    recipe: 'integration_services',
    of: 'Msvm_TimeSyncComponentSettingData',
    before: { EnabledState: '2' },
    changes: [[{ EnabledState: 3 }, '0']],
  },
  {
    recipe: 'guest_services',
    of: 'Msvm_GuestServiceInterfaceComponentSettingData',
    before: { EnabledState: '3' },
    changes: [[{ EnabledState: 2 }, '0']],
  },
  {
    // Without the first step the host refuses: "Cannot enable dynamic memory because NUMA is span based".
    recipe: 'mem_dynamic, with virtual NUMA',
    of: MEMORY,
    before: {
      DynamicMemoryEnabled: 'false',
      VirtualQuantity: '1024',
      Reservation: '512',
      Limit: '1048576',
      TargetMemoryBuffer: '20',
    },
    changes: [[{ DynamicMemoryEnabled: true, Limit: 2048n }, '4096/10/32773', { DynamicMemoryEnabled: 'false' }]],
  },
  {
    recipe: 'mem_static',
    of: MEMORY,
    before: { VirtualQuantity: '1024', DynamicMemoryEnabled: 'false' },
    changes: [[{ VirtualQuantity: 3072n, DynamicMemoryEnabled: false }, '0']],
  },
  {
    recipe: 'mmio_gap',
    of: VSSD,
    before: { LowMmioGapSize: '128', HighMmioGapSize: '512', HighMmioGapBase: '65024' },
    // Its author saw that such a call may take a job; which one did is not told.
    changes: [[{ LowMmioGapSize: 512n, HighMmioGapSize: 32_768n }, '0', { HighMmioGapBase: '65024' }]],
  },
  {
    recipe: 'numa_topology, of the machine',
    of: VSSD,
    before: { VirtualNumaEnabled: 'true' },
    changes: [[{ VirtualNumaEnabled: false }, '0']],
  },
  {
    recipe: 'numa_topology, of its processors',
    of: PROCESSOR,
    before: { MaxNumaNodesPerSocket: '1', HwThreadsPerCore: '0' },
    changes: [[{ MaxProcessorsPerNumaNode: 1n }, '0']],
  },
  {
    recipe: 'rename_vm',
    of: VSSD,
    before: { ElementName: 'WMITEST' },
    changes: [[{ ElementName: 'WMITEST_2' }, '0']],
  },
  {
    recipe: 'secureboot_template',
    of: VSSD,
    before: { SecureBootEnabled: 'true', SecureBootTemplateId: WINDOWS },
    changes: [
      [
        { SecureBootTemplateId: UEFI_CA.toLowerCase() },
        '0',
        { SecureBootTemplateId: UEFI_CA, SecureBootEnabled: 'true' },
      ],
      [{ SecureBootTemplateId: WINDOWS }, '0'],
    ],
  },
  {
    recipe: 'set_autostart',
    of: VSSD,
    before: { AutomaticStartupAction: '3', AutomaticShutdownAction: '3' },
    changes: [[{ AutomaticStartupAction: 4, AutomaticShutdownAction: 3 }, '0']],
  },
  {
    recipe: 'set_notes',
    of: VSSD,
    before: { Notes: '' },
    changes: [[{ Notes: ['WMITEST note', 'a second'] }, '0', { Notes: 'WMITEST note' }]],
  },
  {
    recipe: 'set_secureboot',
    of: VSSD,
    before: { SecureBootEnabled: 'true' },
    changes: [
      [{ SecureBootEnabled: false }, '0'],
      [{ SecureBootEnabled: true }, '0'],
    ],
  },
  {
    recipe: 'smt_threads',
    of: PROCESSOR,
    before: { HwThreadsPerCore: '0' },
    changes: [2n, 1n, 0n].map(threads => [{ HwThreadsPerCore: threads }, '0']),
  },
  {
    recipe: 'video_display',
    of: DISPLAY,
    before: { ResolutionType: '4', HorizontalResolution: '1920', VerticalResolution: '1200' },
    changes: [[{ ResolutionType: 3, HorizontalResolution: 1280, VerticalResolution: 1024 }, '0']],
  },
  {
    recipe: 'vmgenid_bios',
    of: VSSD,
    generation: 1,
    before: { BIOSNumLock: 'false' },
    changes: [
      [
        { BIOSGUID: '{11112222-3333-4444-5555-666677778888}' },
        '0',
        { BIOSGUID: '11112222-3333-4444-5555-666677778888' },
      ],
      [{ BIOSGUID: '11112222-3333-4444-5555-666677778889' }, '0'],
    ],
  },
]

for (const { recipe, of, generation = 2, before, changes } of RECIPES) {
  describeRecipe(`${recipe} reads and changes ${of} as was observed`, async host => {
    const system = await host.define(generation)
    const now = () => (of === VSSD ? host.settings(system) : host.part(system, of))
    assert.deepEqual(readAll(now(), Object.keys(before)), before)

    for (const [set, how, after = {}] of changes) {
      const ended = of === VSSD ? await host.modifySystem(now(), set) : await host.modify(now(), set)
      const expected = { ...(how === '0' ? printedAll(set) : {}), ...after }
      assert.deepEqual([ended, readAll(now(), Object.keys(expected))], [how, expected])
    }

    await host.destroy(system)
  })
}

describeRecipe('mem_dynamic turns virtual NUMA off first, and is answered at once', async host => {
  const system = await host.define()
  const memory = () => host.part(system, MEMORY)

  assert.equal(await host.modifySystem(host.settings(system), { VirtualNumaEnabled: false }), '0')
  assert.equal(await host.modify(memory(), { DynamicMemoryEnabled: true, Limit: 2048n }), '0')

  assert.deepEqual(
    readAll(memory(), ['DynamicMemoryEnabled', 'VirtualQuantity', 'Reservation', 'Limit', 'TargetMemoryBuffer']),
    {
      DynamicMemoryEnabled: 'true',
      VirtualQuantity: '1024',
      Reservation: '512',
      Limit: '2048',
      TargetMemoryBuffer: '20',
    },
  )
  await host.destroy(system)
})

describeRecipe(
  'set_secureboot is refused while the machine runs, in a sentence that tells what cannot be changed',
  async host => {
    const system = await host.define()
    assert.equal(await host.request(system, 2), '4096/7')

    const changed = host.text(host.settings(system), { SecureBootEnabled: false })
    const { how, error } = await host.manage('ModifySystemSettings', { SystemSettings: changed })

    assert.equal(how, '4096/10/32775')
    assert.match(
      error,
      /^'WMITEST' failed to modify settings\. .*'SecureBootEnabled' property cannot be changed while/s,
    )
  },
)
