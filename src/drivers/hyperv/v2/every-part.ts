import { anyOf, type CimInstance, wql } from '../../../protocols/wsman/index.ts'
import { type PartClass, partsOf } from '../wmi/every-part.ts'
import { MEMORY, PROCESSOR } from '../wmi/hardware.ts'
import type { Link } from '../wmi/link.ts'
import { DRIVE_WORDS, LIMITS_FROM_BUILD } from './drives.ts'
import { ALLOCATION, EMULATED, SYNTHETIC, VLAN } from './network-classes.ts'

/** ResourceType of what disks are on and in: controllers of diskettes, IDE and SCSI, and drives. */
const STORAGE_TYPES = [1, 5, 6, 14, 16, 17]
const RESOURCE = 'Msvm_ResourceAllocationSettingData'
const ADAPTER = ['InstanceID', 'ElementName', 'Address']

const CLASSES: readonly PartClass[] = [
  { className: MEMORY.name, properties: Object.keys(MEMORY.properties) },
  { className: PROCESSOR.name, properties: Object.keys(PROCESSOR.properties) },
  {
    className: RESOURCE,
    properties: [
      'InstanceID',
      'ResourceSubType',
      'OtherResourceType',
      'Parent',
      'Address',
      'AddressOnParent',
      'HostResource',
    ],
    where: anyOf(STORAGE_TYPES.map(type => wql`ResourceType = ${type}`)),
  },
  { className: SYNTHETIC.name, properties: ADAPTER },
  { className: EMULATED.name, properties: ADAPTER },
  { className: ALLOCATION.name, properties: ['InstanceID', 'Parent', 'HostResource'] },
]

const IMAGE = ['InstanceID', 'ResourceSubType', 'Parent', 'HostResource']

/** What `hardware` is read from, of all machines. */
export function everyPart(link: Link): Promise<readonly CimInstance[]> {
  const properties = link.build >= LIMITS_FROM_BUILD ? [...IMAGE, 'IOPSLimit'] : IMAGE
  return partsOf(link, [...CLASSES, { className: DRIVE_WORDS.imageClass, properties }])
}

/** The tags of all ports. */
export function everyTag(link: Link): Promise<readonly CimInstance[]> {
  return partsOf(link, [{ className: VLAN.name, properties: ['InstanceID', 'OperationMode', 'AccessVlanId'] }])
}
