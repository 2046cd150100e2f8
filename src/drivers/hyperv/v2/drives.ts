import { type CimInstance, defineClass, type EndpointReference, instanceOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import { adding, type DriveFace, type DriveWords, type NewPart } from '../wmi/drive-words.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { settingsOf } from './classes.ts'
import { MODIFY_RESOURCES } from './methods.ts'
import { ADD_RESOURCES, REMOVE_RESOURCES } from './network-classes.ts'

const DISK_TYPE = 17
const IMAGE_TYPE = 31

/** Source: types and sub types as real hosts have them, v2. */
export const DRIVE_WORDS: DriveWords = {
  controllers: {
    ide: 'Microsoft:Hyper-V:Emulated IDE Controller',
    scsi: 'Microsoft:Hyper-V:Synthetic SCSI Controller',
    floppy: 'Microsoft:Hyper-V:Virtual Diskette Controller',
  },
  drives: {
    disk: { type: DISK_TYPE, subType: 'Microsoft:Hyper-V:Synthetic Disk Drive' },
    hostDisk: { type: DISK_TYPE, subType: 'Microsoft:Hyper-V:Physical Disk Drive' },
    cdrom: { type: 16, subType: 'Microsoft:Hyper-V:Synthetic DVD Drive' },
    floppy: { type: 14, subType: 'Microsoft:Hyper-V:Synthetic Diskette Drive' },
  },
  images: {
    disk: { type: IMAGE_TYPE, subType: 'Microsoft:Hyper-V:Virtual Hard Disk' },
    cdrom: { type: IMAGE_TYPE, subType: 'Microsoft:Hyper-V:Virtual CD/DVD Disk' },
    floppy: { type: IMAGE_TYPE, subType: 'Microsoft:Hyper-V:Virtual Floppy Disk' },
  },
  imageClass: 'Msvm_StorageAllocationSettingData',
  fileIn: 'HostResource',
  slotIn: 'AddressOnParent',
  // Enabled but Offline, and FastSaved.
  saved: [6, 32_779],
}

const PROPERTIES = {
  InstanceID: 'string',
  ResourceType: 'uint16',
  ResourceSubType: 'string',
  Parent: 'string',
  AddressOnParent: 'string',
  HostResource: 'string[]',
} as const

/** Source: the MOF of real hosts, which has IOPSLimit from this build on. */
export const LIMITS_FROM_BUILD = 9_600

const RESOURCE = defineClass('Msvm_ResourceAllocationSettingData', PROPERTIES)
const IMAGE = defineClass(DRIVE_WORDS.imageClass, { ...PROPERTIES, IOPSLimit: 'uint64' })

/** Drives through root\virtualization\v2. */
export function driveFaceV2(link: Link): DriveFace {
  return {
    words: DRIVE_WORDS,
    partOf: part => instanceOf(RESOURCE, propertiesOf(part)),
    imageToAdd: ({ requestsMax, ...part }) =>
      instanceOf(IMAGE, {
        ...propertiesOf(part),
        ...(requestsMax !== undefined && { IOPSLimit: BigInt(requestsMax) }),
      }),
    ...(link.build >= LIMITS_FROM_BUILD && { limitOf }),
    imageOf: (InstanceID, path) => instanceOf(IMAGE, { InstanceID, HostResource: [path] }),
    add: (guid, settings, images) => add(link, guid, settings, images),
    modify: (_guid, settings) => modify(link, settings),
    remove: (_guid, settings) => remove(link, settings),
  }
}

const limitOf = (InstanceID: string, requestsMax: number) =>
  instanceOf(IMAGE, { InstanceID, IOPSLimit: BigInt(requestsMax) })

function propertiesOf({ type, subType, parent, slot, resource }: NewPart) {
  return {
    ResourceType: type,
    ResourceSubType: subType,
    ...(parent !== undefined && { Parent: parent }),
    ...(slot !== undefined && { AddressOnParent: String(slot) }),
    ...(resource !== undefined && { HostResource: [resource] }),
  }
}

async function add(
  link: Link,
  guid: string,
  ResourceSettings: readonly CimInstance[],
  images: readonly string[] = [],
): Promise<readonly EndpointReference[]> {
  const input = { AffectedConfiguration: settingsOf(guid), ResourceSettings }
  const answer = await link.client.call(link.service, ADD_RESOURCES, input)
  await settle(link, answer, adding(images))
  return answer.values.ResultingResourceSettings
}

async function modify(link: Link, ResourceSettings: readonly CimInstance[]): Promise<void> {
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_RESOURCES, { ResourceSettings }))
  await settle(link, answer, 'change the medium')
}

async function remove(link: Link, ResourceSettings: readonly EndpointReference[]): Promise<void> {
  const answer = await link.client.call(link.service, REMOVE_RESOURCES, { ResourceSettings })
  await settle(link, answer, 'take away from the machine')
}
