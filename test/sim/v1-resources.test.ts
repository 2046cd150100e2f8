import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseEmbedded, writeEmbedded } from '../../sim/hyperv/cim/embedded.ts'
import { textOf, valueOf } from '../../sim/hyperv/cim/instance.ts'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import type { MethodResult } from '../../sim/hyperv/cim/provider.ts'
import { call, embedded, onlyOne, query } from './host-world.ts'
import { defineHere, outOf, pathHere, serve, textAt, type V1World, v1WorldOf } from './v1-world.ts'

const RASD = 'Msvm_ResourceAllocationSettingData'

/** Settings of a machine, of a class and perhaps of a sub type. */
function resourcesOf({ v1 }: V1World, system: Instance, className: string, subType?: string): readonly Instance[] {
  const found = query(
    v1,
    `ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${textOf(system, 'Name')}'}` +
      ` WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = ${className}`,
  )
  return subType === undefined ? found : found.filter(one => textOf(one, 'ResourceSubType') === subType)
}

function one(instances: readonly Instance[]): Instance {
  const [first] = instances
  assert(first !== undefined)
  return first
}

const memoryOf = (world: V1World, system: Instance): Instance =>
  one(resourcesOf(world, system, 'Msvm_MemorySettingData'))

const add = (world: V1World, system: Instance, ...texts: string[]): Promise<MethodResult> =>
  serve(world, 'VirtualSystem', 'AddVirtualSystemResources', {
    TargetSystem: pathHere(world, system),
    ResourceSettingData: texts,
  })

const modify = (world: V1World, system: Instance, ...texts: string[]): Promise<MethodResult> =>
  serve(world, 'VirtualSystem', 'ModifyVirtualSystemResources', {
    ComputerSystem: pathHere(world, system),
    ResourceSettingData: texts,
  })

const remove = (world: V1World, system: Instance, settings: Instance): Promise<MethodResult> =>
  serve(world, 'VirtualSystem', 'RemoveVirtualSystemResources', {
    TargetSystem: pathHere(world, system),
    ResourceSettingData: [pathHere(world, settings)],
  })

const controllerOf = (world: V1World, system: Instance, address: string): Instance =>
  one(
    resourcesOf(world, system, RASD, 'Microsoft Emulated IDE Controller').filter(
      each => textOf(each, 'Address') === address,
    ),
  )

const driveText = (world: V1World, parent: Instance, type: number, subType: string): string =>
  embedded(RASD, {
    Parent: ['string', pathHere(world, parent)],
    Address: ['string', '0'],
    ResourceType: ['uint16', type],
    ResourceSubType: ['string', subType],
  })

const imageText = (world: V1World, parent: Instance, path: string, subType: string): string =>
  embedded(RASD, {
    Parent: ['string', pathHere(world, parent)],
    Connection: ['string', [path]],
    ResourceType: ['uint16', 21],
    ResourceSubType: ['string', subType],
  })

/** The value of the error of the last job. */
async function failureOf(world: V1World, result: MethodResult): Promise<CimValue> {
  assert.equal(result.returnValue, 4096)
  await world.clock.advance(1_000)
  const job = outOf(world, result, 'Job')
  assert.equal(valueOf(job, 'JobState'), 10)
  return valueOf(job, 'ErrorCode')
}

for (const build of [7601, 9200]) {
  describe(`resources in root\\virtualization on build ${build}`, () => {
    test('of a new machine are those that a client looks for, under the words and numbers of v1', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')

      const words = resourcesOf(world, system, 'CIM_ResourceAllocationSettingData').map(each =>
        `${textOf(each, 'ResourceType')} ${textOf(each, 'ResourceSubType')}`.trim(),
      )

      const wanted = [
        '3 Microsoft Processor',
        '4 Microsoft Virtual Machine Memory',
        '5 Microsoft Emulated IDE Controller',
        '14 Microsoft Synthetic Diskette Drive',
        '17 Microsoft Serial Port',
      ]
      assert.deepEqual(
        wanted.filter(word => !words.includes(word)),
        [],
      )
      assert.deepEqual(
        words.filter(word => word.includes('Microsoft:Hyper-V')),
        [],
      )
    })

    test('of disks are made as the older driver makes them: by the path of the default row, then by the file', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const capabilities = onlyOne(
        world.v1,
        "SELECT * FROM Msvm_AllocationCapabilities WHERE ResourceSubType = 'Microsoft Synthetic Disk Drive'",
      )
      const rows = query(
        world.v1,
        `ASSOCIATORS OF {Msvm_AllocationCapabilities.InstanceID='${textOf(capabilities, 'InstanceID')}'}` +
          ` WHERE AssocClass = Msvm_SettingsDefineCapabilities ResultClass = ${RASD}`,
      )
      const template = one(rows.filter(row => textOf(row, 'InstanceID').endsWith('\\Default')))

      const ide = controllerOf(world, system, '1')
      const drive = outOf(
        world,
        await add(world, system, driveText(world, ide, 22, pathHere(world, template))),
        'NewResources',
      )
      const image = outOf(
        world,
        await add(world, system, imageText(world, drive, 'D:\\\\Disks\\\\web.vhd', 'Microsoft Virtual Hard Disk')),
        'NewResources',
      )

      assert.equal(rows.length, 4)
      assert.equal(textOf(drive, 'ResourceType'), '22')
      assert.equal(textOf(drive, 'Address'), '0')
      assert.equal(textOf(drive, 'Parent'), pathHere(world, ide))
      assert.equal(textOf(image, 'ResourceType'), '21')
      assert.deepEqual(valueOf(image, 'Connection'), ['D:\\Disks\\web.vhd'])
      assert.equal(textOf(image, 'Parent'), pathHere(world, drive))
    })

    test('of optical disks are changed and taken out, and then the drive', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const ide = controllerOf(world, system, '0')
      const drive = outOf(
        world,
        await add(world, system, driveText(world, ide, 16, 'Microsoft Synthetic DVD Drive')),
        'NewResources',
      )
      const added = await add(world, system, imageText(world, drive, 'D:\\one.iso', 'Microsoft Virtual CD/DVD Disk'))
      const image = outOf(world, added, 'NewResources')

      const changed = await modify(
        world,
        system,
        embedded(RASD, {
          InstanceID: ['string', textOf(image, 'InstanceID')],
          Connection: ['string', ['D:\\two.iso']],
        }),
      )
      const after = one(resourcesOf(world, system, RASD, 'Microsoft Virtual CD/DVD Disk'))
      const removed = [await remove(world, system, image), await remove(world, system, drive)]

      assert.equal(changed.returnValue, 0)
      assert.deepEqual(valueOf(after, 'Connection'), ['D:\\two.iso'])
      assert.deepEqual(
        removed.map(({ returnValue }) => returnValue),
        [0, 0],
      )
      assert.deepEqual(resourcesOf(world, system, RASD, 'Microsoft Synthetic DVD Drive'), [])
    })

    test('are refused by a job: a place that is taken, a sub type of v2, a path with single backslashes', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const ide = controllerOf(world, system, '0')
      const text = driveText(world, ide, 22, 'Microsoft Synthetic Disk Drive')
      await add(world, system, text)

      const taken = await failureOf(world, await add(world, system, text))
      const foreign = await failureOf(
        world,
        await add(world, system, driveText(world, ide, 17, 'Microsoft:Hyper-V:Synthetic Disk Drive')),
      )
      const single = text.replaceAll('\\\\', '\\').replaceAll('>\\HVHOST', '>\\\\HVHOST')
      const undoubled = await failureOf(world, await add(world, system, single.replace('>0<', '>1<')))

      assert.deepEqual([taken, foreign, undoubled], [32773, 32773, 32773])
    })

    test('of a machine are taken back whole with one value changed', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')
      const processor = one(resourcesOf(world, system, 'Msvm_ProcessorSettingData'))
      const text = writeEmbedded(processor).replace(
        /(NAME="VirtualQuantity"[^>]*><VALUE>)1(<\/VALUE>)/,
        (_all, before: string, after: string) => `${before}2${after}`,
      )

      const result = await modify(world, system, text)

      const after = one(resourcesOf(world, system, 'Msvm_ProcessorSettingData'))
      assert.equal(result.returnValue, 0)
      assert.equal(valueOf(after, 'VirtualQuantity'), 2n)
      assert.equal(Number(valueOf(after, 'SocketCount')) * Number(valueOf(after, 'ProcessorsPerSocket')), 2)
    })

    test('of another machine are refused', async () => {
      const world = await v1WorldOf({ build })
      const web = await defineHere(world, 'web')
      const other = await defineHere(world, 'other')

      const result = await modify(
        world,
        web,
        embedded('Msvm_MemorySettingData', {
          InstanceID: ['string', textOf(memoryOf(world, other), 'InstanceID')],
          VirtualQuantity: ['uint64', 1024n],
        }),
      )

      assert.equal(await failureOf(world, result), 32773)
      assert.equal(valueOf(memoryOf(world, other), 'VirtualQuantity'), 512n)
    })

    test('of memory become dynamic', async () => {
      const world = await v1WorldOf({ build })
      const system = await defineHere(world, 'web')

      const result = await modify(
        world,
        system,
        embedded('Msvm_MemorySettingData', {
          InstanceID: ['string', textOf(memoryOf(world, system), 'InstanceID')],
          DynamicMemoryEnabled: ['boolean', true],
          VirtualQuantity: ['uint64', 1024n],
          Reservation: ['uint64', 512n],
          Limit: ['uint64', 4096n],
          TargetMemoryBuffer: ['uint32', 30],
        }),
      )

      const after = memoryOf(world, system)
      assert.equal(result.returnValue, 0)
      assert.equal(valueOf(after, 'DynamicMemoryEnabled'), true)
      assert.deepEqual(
        ['Reservation', 'VirtualQuantity', 'Limit'].map(name => valueOf(after, name)),
        [512n, 1024n, 4096n],
      )
    })

    test('may be given with the machine, those that it has anyway among them', async () => {
      const world = await v1WorldOf({ build })

      const result = await serve(world, 'VirtualSystem', 'DefineVirtualSystem', {
        SystemSettingData: embedded('Msvm_VirtualSystemGlobalSettingData', { ElementName: ['string', 'web'] }),
        ResourceSettingData: [
          embedded('Msvm_MemorySettingData', {
            ResourceType: ['uint16', 4],
            ResourceSubType: ['string', 'Microsoft Virtual Machine Memory'],
            VirtualQuantity: ['uint64', 2048n],
          }),
          embedded(RASD, {
            ResourceType: ['uint16', 6],
            ResourceSubType: ['string', 'Microsoft Synthetic SCSI Controller'],
          }),
        ],
      })

      const system = outOf(world, result, 'DefinedSystem')
      assert.equal(valueOf(memoryOf(world, system), 'VirtualQuantity'), 2048n)
      assert.equal(resourcesOf(world, system, RASD, 'Microsoft Synthetic SCSI Controller').length, 1)
    })

    test('are not half given with a machine that is refused for one of them', async () => {
      const world = await v1WorldOf({ build })

      const result = await serve(world, 'VirtualSystem', 'DefineVirtualSystem', {
        ResourceSettingData: [embedded(RASD, { ResourceType: ['uint16', 4711] })],
      })

      assert.equal(await failureOf(world, result), 32773)
      assert.deepEqual(world.host.state.vms, [])
    })

    test('say how many processors a machine may have, as a product', async () => {
      const world = await v1WorldOf({ build })

      const most = onlyOne(
        world.v1,
        "SELECT * FROM Msvm_ProcessorSettingData WHERE InstanceID LIKE 'Microsoft:Definition%Maximum'",
      )

      const product = Number(valueOf(most, 'SocketCount')) * Number(valueOf(most, 'ProcessorsPerSocket'))
      assert.equal(product, build === 7601 ? 4 : 16)
    })
  })
}

describe('memory of a host that has v1 alone', () => {
  test('is all reserved for a machine, and stays so when its amount changes', async () => {
    const world = await v1WorldOf({ build: 7601 })
    const system = await defineHere(world, 'web')
    const amounts = (): unknown[] =>
      ['Reservation', 'VirtualQuantity', 'Limit'].map(name => valueOf(memoryOf(world, system), name))
    const before = amounts()

    await modify(
      world,
      system,
      embedded('Msvm_MemorySettingData', {
        InstanceID: ['string', textOf(memoryOf(world, system), 'InstanceID')],
        VirtualQuantity: ['uint64', 1024n],
      }),
    )

    assert.deepEqual(before, [512n, 512n, 512n])
    assert.deepEqual(amounts(), [1024n, 1024n, 1024n])
  })
})

describe('resources seen through both namespaces', () => {
  test('are the same disk under two classes and two places for its file', async () => {
    const world = await v1WorldOf({ build: 9200 })
    const system = await defineHere(world, 'web')
    const id = textOf(system, 'Name')
    const ide = controllerOf(world, system, '0')
    const drive = outOf(
      world,
      await add(world, system, driveText(world, ide, 22, 'Microsoft Synthetic Disk Drive')),
      'NewResources',
    )
    await add(world, system, imageText(world, drive, 'D:\\web.vhd', 'Microsoft Virtual Hard Disk'))

    const image = onlyOne(world.v2, `SELECT * FROM Msvm_StorageAllocationSettingData WHERE InstanceID LIKE '%${id}%'`)
    const there = onlyOne(
      world.v2,
      `SELECT * FROM ${RASD} WHERE ResourceSubType = 'Microsoft:Hyper-V:Synthetic Disk Drive' AND InstanceID LIKE '%${id}%'`,
    )
    const service = onlyOne(world.v2, 'SELECT * FROM Msvm_VirtualSystemManagementService')
    await call(world.v2, service, 'ModifyResourceSettings', {
      ResourceSettings: [
        embedded('Msvm_StorageAllocationSettingData', {
          InstanceID: ['string', textOf(image, 'InstanceID')],
          HostResource: ['string', ['D:\\other.vhd']],
        }),
      ],
    })

    assert.equal(textOf(image, 'ResourceSubType'), 'Microsoft:Hyper-V:Virtual Hard Disk')
    assert.deepEqual(valueOf(image, 'HostResource'), ['D:\\web.vhd'])
    assert.equal(textOf(there, 'AddressOnParent'), '0')
    assert.match(textOf(there, 'Parent'), /^\\\\HVHOST\\root\\virtualization\\v2:/)
    const here = one(resourcesOf(world, system, RASD, 'Microsoft Virtual Hard Disk'))
    assert.deepEqual(valueOf(here, 'Connection'), ['D:\\other.vhd'])
  })
})

/** What the client that these were recorded from had set itself. */
const OF_CLIENT = new Set(['Address', 'Connection', 'ElementName', 'HostResource', 'Limit', 'Parent', 'Reservation'])
const OF_CLIENT_TOO = new Set(['StaticMacAddress', 'VirtualQuantity', 'VirtualSystemIdentifiers'])

describe('settings that a host of Server 2012 was recorded to show', () => {
  const recorded: Readonly<Record<string, readonly string[]>> = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', 'fixtures', 'hyperv', 'ws2012-instances.json'), 'utf8'),
  )
  const ofV1 = Object.keys(recorded).filter(name => / \/ Microsoft /.test(name))

  for (const name of ofV1) {
    test(`are shown alike: ${name}`, async () => {
      const world = await v1WorldOf({ build: 9200 })
      const system = await defineHere(world, 'web')
      const [text = ''] = recorded[name] ?? []
      const { class: cls, values } = parseEmbedded(world.v1.schema, text, { isStrict: false })
      const subType = textAt(values.get('ResourceSubType'))
      const isDefinition = textAt(values.get('InstanceID')).includes('Definition')

      const shown = isDefinition
        ? onlyOne(
            world.v1,
            `SELECT * FROM ${cls.name} WHERE ResourceSubType = '${subType}' AND InstanceID LIKE '%Default'`,
          )
        : one(resourcesOf(world, system, cls.name, subType))

      const differing = cls.properties
        .map(({ name: property }) => property)
        .filter(property => !OF_CLIENT.has(property) && !OF_CLIENT_TOO.has(property))
        .filter(property => plain(values.get(property)) !== plain(shown.values.get(property)))
        .map(property => `${property}: ${plain(values.get(property))} but ${plain(shown.values.get(property))}`)
      assert.deepEqual(differing, [])
    })
  }
})

/** The machine's own GUID, and backslashes that were escaped by those who kept the recording, do not count. */
function plain(value: CimValue | undefined): string {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return ''
  const text =
    typeof value === 'string'
      ? value
      : JSON.stringify(value, (_key, each) => (typeof each === 'bigint' ? Number(each) : each))
  return text.replaceAll(/\\+/g, '\\').replace(/^Microsoft:[0-9A-F-]{36}\\(?!Root)/i, 'Microsoft:MACHINE\\')
}
