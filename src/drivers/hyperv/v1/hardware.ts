import { type CimInstance, type EndpointReference, instanceOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import type { Hardware, Quantities, Resizable } from '../back-end.ts'
import { componentsOf } from '../wmi/components.ts'
import { type PartClass, partsOf } from '../wmi/every-part.ts'
import { byMachine, isWhole, MEMORY, PROCESSOR, resizableAmong, resizeBy } from '../wmi/hardware.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { storageAmong } from '../wmi/storage.ts'
import { adaptersAmong, adaptersIn } from './adapters.ts'
import { systemOf } from './classes.ts'
import { DRIVE_WORDS } from './drives.ts'
import { MODIFY_RESOURCES } from './methods.ts'
import { EMULATED, SWITCH_PORT, SYNTHETIC } from './network-classes.ts'
import { nameOf, tagIn } from './port-tags.ts'

const ADAPTER = ['InstanceID', 'ElementName', 'Address', 'Connection']

const CLASSES: readonly PartClass[] = [
  { className: MEMORY.name, properties: Object.keys(MEMORY.properties) },
  { className: PROCESSOR.name, properties: Object.keys(PROCESSOR.properties) },
  {
    className: 'Msvm_ResourceAllocationSettingData',
    properties: [
      'InstanceID',
      'ResourceSubType',
      'OtherResourceType',
      'Parent',
      'Address',
      'Connection',
      'HostResource',
    ],
  },
  { className: SYNTHETIC.name, properties: ADAPTER },
  { className: EMULATED.name, properties: ADAPTER },
]

/** What the machine is made of, as it has it from its next start. */
export async function readHardware(link: Link, guid: string): Promise<Hardware> {
  const components = await componentsOf(link, guid)
  const adapters = await adaptersAmong(link, components)
  // There is one generation.
  return {
    ...resizableAmong(guid, components),
    hasBios: true,
    adapters,
    storage: storageAmong(DRIVE_WORDS, components),
  }
}

/** As `readHardware`, of every machine, in one enumeration for each class. */
export async function readAllHardware(link: Link): Promise<ReadonlyMap<string, Hardware>> {
  const [parts, endOf] = await Promise.all([partsOf(link, CLASSES), everyEnd(link)])
  return new Map(
    [...byMachine(parts)].flatMap(([guid, components]): [string, Hardware][] => {
      // Not a machine, or one that was just deleted.
      if (!isWhole(components)) return []
      const storage = storageAmong(DRIVE_WORDS, components)
      const adapters = adaptersIn(components, endOf)
      return [[guid, { ...resizableAmong(guid, components), hasBios: true, adapters, storage }]]
    }),
  )
}

/** What there is of ports, and the tags of those whose names are their titles too, as those of ours. */
async function everyEnd(link: Link) {
  const [ports, settings] = await Promise.all([
    partsOf(link, [{ className: SWITCH_PORT, properties: ['Name'] }]),
    partsOf(link, [{ className: 'Msvm_VLANEndpointSettingData', properties: ['ElementName', 'AccessVLAN'] }]),
  ])
  const there = new Set(ports.map(row => row.string('Name')?.toUpperCase()))
  const tags = new Map(settings.map(row => [row.string('ElementName')?.toUpperCase(), tagIn(row)]))
  return (port: EndpointReference) => (there.has(nameOf(port)) ? { vlan: tags.get(nameOf(port)) ?? null } : undefined)
}

/** Changes memory and processors where they are to be others. */
export async function resize(link: Link, hardware: Resizable, wanted: Quantities): Promise<void> {
  await resizeBy({ memoryOf, modify: settings => modify(link, hardware.guid, settings) }, hardware, wanted)
}

async function modify(link: Link, guid: string, ResourceSettingData: readonly CimInstance[]): Promise<void> {
  const input = { ComputerSystem: systemOf(guid), ResourceSettingData }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_RESOURCES, input))
  await settle(link, answer, 'change memory or processors')
}

type Amount = Pick<Quantities, 'memoryMb' | 'dynamicMemory'>

/**
 * Static memory is all reserved for its machine, and nothing more.
 * Source: Microsoft Learn, "Msvm_MemorySettingData" (v1); clients of real hosts give all three.
 */
function memoryOf(InstanceID: string, { memoryMb, dynamicMemory }: Amount): CimInstance {
  const { leastMb, mostMb } = dynamicMemory ?? { leastMb: memoryMb, mostMb: memoryMb }
  return instanceOf(MEMORY, {
    InstanceID,
    DynamicMemoryEnabled: dynamicMemory !== undefined,
    VirtualQuantity: memoryMb,
    Reservation: leastMb,
    Limit: mostMb,
  })
}
