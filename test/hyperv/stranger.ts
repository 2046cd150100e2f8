import assert from 'node:assert/strict'
import {
  type CimInstance,
  embedded,
  httpTransport,
  objectPath,
  parseTargetUri,
  reference,
  typed,
  WsmanClient,
} from '../../src/protocols/wsman/index.ts'
import { HYPERV_ADMIN } from '../support/sim-hyperv.ts'
import { until } from '../support/machine.ts'
import type { HypervHost } from './setting.ts'

const V2 = 'root/virtualization/v2'
const RESOURCE = 'Msvm_ResourceAllocationSettingData'
const IMAGE = 'Msvm_StorageAllocationSettingData'

/** A device as somebody gives it to a machine. */
export interface StrangersDevice {
  readonly type: number
  readonly subType: string
  /** The InstanceID of what it is on or in. */
  readonly on?: string
  readonly slot?: number
  readonly file?: string
  readonly className?: string
}

/** Somebody else who manages the same host through root\virtualization\v2, with the words of Hyper-V itself. */
export class Stranger {
  readonly client: WsmanClient

  constructor({ uri }: HypervHost) {
    const address = `hyperv://${HYPERV_ADMIN.name}@${uri.host}/?transport=http`
    const transport = httpTransport(parseTargetUri(address, () => HYPERV_ADMIN.password))
    this.client = new WsmanClient(transport, { namespace: V2 })
  }

  async #call(className: string, method: string, input: Parameters<WsmanClient['invoke']>[2]): Promise<CimInstance> {
    const [service] = await this.client.queryReferences(className)
    assert(service !== undefined)
    const { returnValue, output } = await this.client.invoke(service, method, input)
    assert(returnValue === 0 || returnValue === 4096, `${method} answers ${returnValue}`)
    const job = output.reference('Job')
    if (job !== undefined) {
      const ended = await until(`${method} ends`, async () => {
        const now = await this.client.get(job)
        return (now.number('JobState') ?? 0) > 4 ? now : undefined
      })
      assert.equal(ended.number('JobState'), 7, ended.string('ErrorDescription'))
    }
    return output
  }

  #manage = (method: string, input: Parameters<WsmanClient['invoke']>[2]) =>
    this.#call('Msvm_VirtualSystemManagementService', method, input)

  /** Makes a machine, and gives its GUID. */
  async make(ElementName: string, generation: 1 | 2 = 1): Promise<string> {
    const VirtualSystemSubType = `Microsoft:Hyper-V:SubType:${generation}`
    const SystemSettings = embedded('Msvm_VirtualSystemSettingData', {
      ElementName: typed('string', ElementName),
      VirtualSystemSubType: typed('string', VirtualSystemSubType),
    })
    const made = (await this.#manage('DefineSystem', { SystemSettings })).reference('ResultingSystem')
    return made?.key('Name') ?? ''
  }

  /** Adds a device, and gives its InstanceID. */
  async add(guid: string, { type, subType, on, slot, file, className = RESOURCE }: StrangersDevice): Promise<string> {
    const parent = on === undefined ? undefined : objectPath(reference(V2, RESOURCE, { InstanceID: on }), 'HVHOST')
    const ResourceSettings = [
      embedded(className, {
        ResourceType: typed('uint16', type),
        ResourceSubType: typed('string', `Microsoft:Hyper-V:${subType}`),
        ...(parent !== undefined && { Parent: typed('string', parent) }),
        ...(slot !== undefined && { AddressOnParent: typed('string', String(slot)) }),
        ...(file !== undefined && { HostResource: typed('string[]', [file]) }),
      }),
    ]
    const AffectedConfiguration = reference(V2, 'Msvm_VirtualSystemSettingData', { InstanceID: `Microsoft:${guid}` })
    const output = await this.#manage('AddResourceSettings', { AffectedConfiguration, ResourceSettings })
    return output.references('ResultingResourceSettings')[0]?.key('InstanceID') ?? ''
  }

  /** Adds a drive with an image in it, and gives the InstanceIDs of both. */
  async addDisk(guid: string, on: string, slot: number, file: string): Promise<[drive: string, image: string]> {
    const drive = await this.add(guid, { type: 17, subType: 'Synthetic Disk Drive', on, slot })
    return [drive, await this.add(guid, { type: 31, subType: 'Virtual Hard Disk', on: drive, file, className: IMAGE })]
  }

  /** Puts another file in the place of an image. */
  async exchange(InstanceID: string, file: string): Promise<void> {
    const settings = { InstanceID: typed('string', InstanceID), HostResource: typed('string[]', [file]) }
    await this.#manage('ModifyResourceSettings', { ResourceSettings: [embedded(IMAGE, settings)] })
  }

  /** Takes devices away, by class and InstanceID. */
  async remove(...devices: readonly (readonly [className: string, InstanceID: string])[]): Promise<void> {
    const ResourceSettings = devices.map(([className, InstanceID]) => reference(V2, className, { InstanceID }))
    await this.#manage('RemoveResourceSettings', { ResourceSettings })
  }

  /** Writes other notes on a machine. */
  async write(guid: string, notes: string): Promise<void> {
    const values = { InstanceID: typed('string', `Microsoft:${guid}`), Notes: typed('string[]', [notes]) }
    await this.#manage('ModifySystemSettings', { SystemSettings: embedded('Msvm_VirtualSystemSettingData', values) })
  }

  /** Takes a snapshot of a machine, which goes on in images that hold what changes from then on. */
  async snapshot(guid: string): Promise<void> {
    const AffectedSystem = reference(V2, 'Msvm_ComputerSystem', {
      CreationClassName: 'Msvm_ComputerSystem',
      Name: guid,
    })
    await this.#call('Msvm_VirtualSystemSnapshotService', 'CreateSnapshot', { AffectedSystem, SnapshotType: 2 })
  }

  close(): Promise<void> {
    return this.client.close()
  }
}

export const IMAGE_CLASS = IMAGE
export const RESOURCE_CLASS = RESOURCE
/** The controllers of IDE of a machine. */
export const ideOf = (guid: string, number: 0 | 1): string =>
  `Microsoft:${guid}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\${number}`
