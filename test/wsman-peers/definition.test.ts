import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type SimHyperv, startSimHyperv } from '../support/sim-hyperv.ts'
import { BasicPoster } from './basic-poster.ts'
import { checkItem, classesIn, conditionFor, type Properties } from './known-classes.ts'
import { type Node, select, textAt } from './literal-xml.ts'
import { type Answer, propertyOf, RecordedClient, recorded, valuesOf } from './recorded-client.ts'

// The conversation in which the C driver of libvirt defines a machine with a disk, an optical drive and a network adapter:
// in its order, with what it sent, each step with what it read of the answers to those before.

const SERVICE = 'Msvm_VirtualSystemManagementService'
const SYSTEMS = 'SELECT * FROM Msvm_ComputerSystem WHERE Name != __SERVER '
/** What the recorded requests call the machine, and the resource that the answers to AddResourceSettings named. */
const RECORDED_VM = '55555555-5555-5555-5555-555555555555'
const RECORDED_RESULT =
  'Microsoft:11111111-1111-1111-1111-111111111111\\\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\\\1\\\\0\\\\D'
const RECORDED_SWITCH = '44444444-4444-4444-4444-444444444444'

let folder: string
let host: SimHyperv
let poster: BasicPoster
let client: RecordedClient

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyvisor-definition-'))
  const state = join(folder, 'state')
  for (const name of ['iso', 'vm']) await mkdir(`${state}.files/C/${name}`, { recursive: true })
  await writeFile(`${state}.files/C/iso/a.iso`, Buffer.alloc(65_536))
  execFileSync('qemu-img', ['create', '-q', '-f', 'vhdx', `${state}.files/C/vm/d1.vhdx`, '64M'])
  const options = ['--basic', '--allow-unencrypted', '--vms', '3', '--pace', '0.2', '--seed', '2', '--state', state]
  host = await startSimHyperv(...options)
  poster = new BasicPoster(host)
  client = new RecordedClient(poster.post)
})
after(async () => {
  poster[Symbol.dispose]()
  assert.equal(await host.stop(), 0)
  assert.equal(host.complaints(), '')
  await rm(folder, { recursive: true })
})

/** What is associated with the settings of a machine, as the driver asks for it. */
const partsOf = (machine: string, className: string) =>
  client.query(
    `ASSOCIATORS OF {Msvm_VirtualSystemSettingData.InstanceID='Microsoft:${machine}'} ` +
      `WHERE AssocClass = Msvm_VirtualSystemSettingDataComponent ResultClass = ${className}`,
  )

async function only(wql: string): Promise<Node> {
  const [found, ...more] = await client.query(wql)
  assert.ok(found !== undefined && more.length === 0, wql)
  return found
}

/** As the driver writes a name into a path: each backslash twice. */
const inPath = (name: string): string => name.replaceAll('\\', '\\\\')

/** The name of the first thing that an answer refers to, wherever it does. */
function firstResult({ root, text }: Answer): string {
  const name = textAt(root, "//w:Selector[@Name='InstanceID']")
  assert.ok(name, text)
  const output = select(root, '/s:Envelope/s:Body/p:AddResourceSettings_OUTPUT')[0]?.children ?? []
  const names = output.map(({ local }) => local)
  assert.ok(names.includes('ResultingResourceSettings'), text)
  if (names.includes('Job')) assert.ok(names.indexOf('ResultingResourceSettings') < names.indexOf('Job'), text)
  return name
}

/** Changes a quantity of a machine by settings that hold their name and that quantity alone. */
async function modify(file: string, className: string, machine: string, property: string, value: number) {
  const [settings] = await partsOf(machine, className)
  assert.ok(settings)
  const request = recorded(`libvirt-v2/${file}`)
  const [old = ''] = /Microsoft:[^&]*(?=&lt;\/VALUE)/.exec(request) ?? []
  const [quantity = ''] = /NAME="VirtualQuantity" TYPE="uint64"&gt;\s*&lt;VALUE&gt;\d+&/.exec(request) ?? []
  const changed = quantity.replace('VirtualQuantity', property).replace(/\d+&$/, `${value}&`)
  const id = propertyOf(settings, 'InstanceID') ?? ''
  const answer = await client.send(file, { [old]: id, [quantity]: changed })
  assert.equal(await client.finish(answer, 'ModifyResourceSettings'), '0')
}

async function defineSwitch(name: string): Promise<string> {
  const service = 'Msvm_VirtualEthernetSwitchManagementService'
  const answer = await client.send('invoke_definesystem.txt', {
    [SERVICE]: service,
    Msvm_VirtualSystemSettingData: 'Msvm_VirtualEthernetSwitchSettingData',
    newvm: name,
  })
  assert.equal(await client.finish(answer, 'DefineSystem'), '0')
  return propertyOf(await only(`SELECT * FROM Msvm_VirtualEthernetSwitch WHERE ElementName='${name}'`), 'Name') ?? ''
}

describe('libvirt defines a machine', () => {
  let machine: string
  let switchName: string
  let controllers: readonly Node[]
  const hostName = 'hvhost'
  /** Sends one of the requests for a new resource. */
  const add = async (number: number, replacements: Readonly<Record<string, string>> = {}): Promise<Answer> => {
    const answer = await client.send(`invoke_addresourcesettings_${number}.txt`, {
      [RECORDED_VM]: machine,
      ...replacements,
    })
    assert.equal(await client.finish(answer, 'AddResourceSettings'), '0')
    return answer
  }

  before(async () => {
    switchName = await defineSwitch('lan')
  })

  test('under a name that it then finds it by, with the devices of every new machine', async () => {
    assert.equal(propertyOf(await only('SELECT * FROM Win32_ComputerSystem '), 'DNSHostName'), hostName)
    const stranger = 'b63f8b4e-0bd2-4e41-8a3c-1a0b8c3c6a11'
    assert.deepEqual(await client.query(`${SYSTEMS}AND Name = '${stranger}'`), [])

    const defined = await client.send('invoke_definesystem.txt')
    assert.equal(await client.finish(defined, 'DefineSystem'), '0')
    machine = propertyOf(await only(`${SYSTEMS}AND ElementName = 'newvm'`), 'Name') ?? ''

    controllers = await partsOf(machine.toLowerCase(), 'Msvm_ResourceAllocationSettingData')
    const described = controllers.map(each => [propertyOf(each, 'ResourceType'), propertyOf(each, 'Address')].join(' '))
    for (const wanted of ['5 0', '5 1']) assert.ok(described.includes(wanted), wanted)
    assert.ok(controllers.some(each => propertyOf(each, 'ResourceType') === '14'))
    const ports = await partsOf(machine, 'Msvm_SerialPortSettingData')
    assert.deepEqual(ports.map(port => propertyOf(port, 'ElementName') ?? '').toSorted(), ['COM 1', 'COM 2'])
    assert.deepEqual(new Set(ports.map(port => propertyOf(port, 'ResourceType'))), new Set(['21']))
  })

  test('with processors and memory', async () => {
    await modify(
      'invoke_modifyresourcesettings_define_1.txt',
      'Msvm_ProcessorSettingData',
      machine,
      'VirtualQuantity',
      2,
    )
    await modify('invoke_modifyresourcesettings_define_2.txt', 'Msvm_MemorySettingData', machine, 'Limit', 2048)
    await modify(
      'invoke_modifyresourcesettings_define_2.txt',
      'Msvm_MemorySettingData',
      machine,
      'VirtualQuantity',
      512,
    )

    const [memory] = await partsOf(machine, 'Msvm_MemorySettingData')
    const [processors] = await partsOf(machine, 'Msvm_ProcessorSettingData')
    assert.ok(memory && processors)
    assert.deepEqual(
      [propertyOf(memory, 'VirtualQuantity'), propertyOf(memory, 'Limit'), propertyOf(processors, 'VirtualQuantity')],
      ['512', '2048', '2'],
    )
  })

  for (const [device, numbers, drive, image, file] of [
    ['a disk', [1, 2], 'Synthetic Disk Drive', 'Virtual Hard Disk', 'C:\\vm\\d1.vhdx'],
    ['an optical drive', [3, 4], 'Synthetic DVD Drive', 'Virtual CD/DVD Disk', 'C:\\iso\\a.iso'],
  ] as const) {
    test(`with ${device}, whose image is in the drive that the answer before named`, async () => {
      const bus = numbers[0] === 1 ? 0 : 1
      const controller = controllers.find(
        each => propertyOf(each, 'ResourceType') === '5' && propertyOf(each, 'Address') === String(bus),
      )
      assert.ok(controller)
      const place = `${RECORDED_VM}\\\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\\\${bus}`
      const parent = propertyOf(controller, 'InstanceID') ?? ''

      const added = await add(numbers[0], { [`Microsoft:${place}`.replace(RECORDED_VM, machine)]: inPath(parent) })
      const driveName = firstResult(added)
      await add(numbers[1], { [RECORDED_RESULT]: inPath(driveName) })

      const [inDrive] = (await partsOf(machine, 'Msvm_StorageAllocationSettingData')).filter(
        each => propertyOf(each, 'ResourceSubType') === `Microsoft:Hyper-V:${image}`,
      )
      const [found] = (await partsOf(machine, 'Msvm_ResourceAllocationSettingData')).filter(
        each => propertyOf(each, 'ResourceSubType') === `Microsoft:Hyper-V:${drive}`,
      )
      assert.ok(inDrive && found)
      assert.deepEqual(valuesOf(inDrive, 'HostResource'), [file])
      assert.equal(propertyOf(found, 'AddressOnParent'), '0')
      // The driver tells what is in what by how a path ends.
      assert.ok(propertyOf(inDrive, 'Parent')?.endsWith(`${inPath(propertyOf(found, 'InstanceID') ?? '')}"`))
      assert.ok(propertyOf(found, 'Parent')?.endsWith(`${inPath(parent)}"`))
      assert.equal(propertyOf(found, 'InstanceID'), driveName)
    })
  }

  test('with a network adapter that is connected to a switch', async () => {
    const { length } = await client.query(`SELECT * FROM Msvm_VirtualEthernetSwitch WHERE Name='${switchName}'`)
    assert.equal(length, 1)

    const adapter = firstResult(await add(5))
    await add(6, { [RECORDED_SWITCH]: switchName.toLowerCase(), [RECORDED_RESULT]: inPath(adapter) })

    const [connection] = await partsOf(machine, 'Msvm_EthernetPortAllocationSettingData')
    assert.ok(connection)
    const [to = ''] = valuesOf(connection, 'HostResource')
    const parent = propertyOf(connection, 'Parent') ?? ''
    assert.equal(propertyOf(connection, 'EnabledState'), '2')
    assert.ok(propertyOf(connection, 'InstanceID')?.startsWith(adapter))
    assert.equal(
      propertyOf(await only(`SELECT * FROM Msvm_VirtualEthernetSwitch WHERE __PATH = '${inPath(to)}'`), 'ElementName'),
      'lan',
    )
    // Asked for as it was recorded: by a path of which every backslash is doubled once more.
    const own = '\\\\HVHOST\\root\\virtualization\\v2:Msvm_SyntheticEthernetPortSettingData.InstanceID'
    const old = inPath(inPath('Microsoft:11111111-1111-1111-1111-111111111111\\AAAAAAAA-0000-4000-8000-000000000001'))
    assert.ok(parent.toLowerCase().startsWith(own.toLowerCase()))
    const begun = await client.send('enumerate_wql_by_path.txt', { [old]: inPath(inPath(adapter)) })
    const context = textAt(begun.root, '/s:Envelope/s:Body/n:EnumerateResponse/n:EnumerationContext') ?? ''
    const pulled = await client.post(client.pull(context, 'Msvm_SyntheticEthernetPortSettingData'))
    const [port] = select(pulled.root, '/s:Envelope/s:Body/n:PullResponse/n:Items')[0]?.children ?? []
    assert.ok(port)
    assert.equal(propertyOf(port, 'Address'), '00155DAABBCC')
  })

  test('that starts', async () => {
    const start = await client.send('invoke_requeststatechange_2.txt', {
      '11111111-1111-1111-1111-111111111111': machine,
    })

    assert.equal(await client.finish(start, 'RequestStateChange'), '0')
    assert.equal(propertyOf(await only(`${SYSTEMS}AND Name = '${machine}'`), 'EnabledState'), '2')
  })
})

describe('every class that libvirt knows', () => {
  const check = async (classes: readonly (readonly [className: string, properties: Properties])[]) => {
    for (const [className, properties] of classes) {
      const items = await client.query(`SELECT * FROM ${className} ${conditionFor(className)}`, className)
      assert.ok(items.length > 0, className)
      for (const item of items) checkItem(item, properties)
    }
  }

  test('has all properties that it reads, each once, or once for each of its values', async () => {
    const classes = Object.entries(await classesIn('v2'))
    assert.equal(classes.length, 25)
    await check(classes)
  })

  test('has those that earlier drivers read', async () => {
    const classes = Object.entries(await classesIn('v1'))
      .filter(([name]) => name.endsWith('_2012') && !name.startsWith('Msvm_VirtualHardDiskSettingData'))
      .map(([name, properties]) => [name.replace('_2012', ''), properties] as const)
    assert.equal(classes.length, 7)
    await check(classes)
  })
})
