import { type CimInstance, defineClass, type EndpointReference, instanceOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import { adding, type DriveFace, type DriveWords, type NewPart } from '../wmi/drive-words.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { systemOf } from './classes.ts'
import { ADD_RESOURCES, MODIFY_RESOURCES, REMOVE_RESOURCES } from './methods.ts'

/** Source: as clients of real hosts send them; the table of the documentation is one too low from 11 on. */
const IMAGE_TYPE = 21
const DISK_TYPE = 22

/** Source: sub types as clients of real hosts send them, v1. */
export const DRIVE_WORDS: DriveWords = {
  controllers: {
    ide: 'Microsoft Emulated IDE Controller',
    scsi: 'Microsoft Synthetic SCSI Controller',
    floppy: 'Microsoft Virtual Diskette Controller',
  },
  drives: {
    disk: { type: DISK_TYPE, subType: 'Microsoft Synthetic Disk Drive' },
    hostDisk: { type: DISK_TYPE, subType: 'Microsoft Physical Disk Drive' },
    cdrom: { type: 16, subType: 'Microsoft Synthetic DVD Drive' },
    floppy: { type: 14, subType: 'Microsoft Synthetic Diskette Drive' },
  },
  images: {
    disk: { type: IMAGE_TYPE, subType: 'Microsoft Virtual Hard Disk' },
    cdrom: { type: IMAGE_TYPE, subType: 'Microsoft Virtual CD/DVD Disk' },
    floppy: { type: IMAGE_TYPE, subType: 'Microsoft Virtual Floppy Disk' },
  },
  imageClass: 'Msvm_ResourceAllocationSettingData',
  fileIn: 'Connection',
  slotIn: 'Address',
  saved: [32_769],
}

const RESOURCE = defineClass('Msvm_ResourceAllocationSettingData', {
  InstanceID: 'string',
  ResourceType: 'uint16',
  ResourceSubType: 'string',
  Parent: 'string',
  Address: 'string',
  Connection: 'string[]',
  HostResource: 'string[]',
})

/** Drives through root\virtualization. */
export function driveFaceV1(link: Link): DriveFace {
  return {
    words: DRIVE_WORDS,
    partOf: ({ resource, ...part }) =>
      instanceOf(RESOURCE, { ...propertiesOf(part), ...(resource !== undefined && { HostResource: [resource] }) }),
    imageToAdd: ({ resource, ...part }) =>
      instanceOf(RESOURCE, { ...propertiesOf(part), ...(resource !== undefined && { Connection: [resource] }) }),
    imageOf: (InstanceID, path) => instanceOf(RESOURCE, { InstanceID, Connection: [path] }),
    add: (guid, settings, images) => add(link, guid, settings, images),
    modify: (guid, settings) => modify(link, guid, settings),
    remove: (guid, settings) => remove(link, guid, settings),
  }
}

function propertiesOf({ type, subType, parent, slot }: NewPart) {
  return {
    ResourceType: type,
    ResourceSubType: subType,
    ...(parent !== undefined && { Parent: parent }),
    ...(slot !== undefined && { Address: String(slot) }),
  }
}

async function add(
  link: Link,
  guid: string,
  ResourceSettingData: readonly CimInstance[],
  images: readonly string[] = [],
): Promise<readonly EndpointReference[]> {
  const input = { TargetSystem: systemOf(guid), ResourceSettingData }
  const answer = await link.client.call(link.service, ADD_RESOURCES, input)
  await settle(link, answer, adding(images))
  return answer.values.NewResources
}

async function modify(link: Link, guid: string, ResourceSettingData: readonly CimInstance[]): Promise<void> {
  const input = { ComputerSystem: systemOf(guid), ResourceSettingData }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_RESOURCES, input))
  await settle(link, answer, 'change the medium')
}

async function remove(link: Link, guid: string, ResourceSettingData: readonly EndpointReference[]): Promise<void> {
  const input = { TargetSystem: systemOf(guid), ResourceSettingData }
  const answer = await link.client.call(link.service, REMOVE_RESOURCES, input)
  await settle(link, answer, 'take away from the machine')
}
