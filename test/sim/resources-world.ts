import assert from 'node:assert/strict'
import { parsePath } from '../../sim/hyperv/cim/path.ts'
import type { MethodResult, ObjectName } from '../../sim/hyperv/cim/provider.ts'
import { Repository } from '../../sim/hyperv/cim/repository.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { ManualClock } from '../../sim/hyperv/host/clock.ts'
import { defineSystem } from '../../sim/hyperv/host/definition.ts'
import { Host } from '../../sim/hyperv/host/host.ts'
import type { Job } from '../../sim/hyperv/host/jobs.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { newState } from '../../sim/hyperv/host/new-state.ts'
import { turnOff, turnOn } from '../../sim/hyperv/host/power.ts'
import { randomOf } from '../../sim/hyperv/host/random.ts'
import { giveImageFiles } from '../../sim/hyperv/host/resources-files.ts'
import { settingsPath } from '../../sim/hyperv/host/resources-ids.ts'
import type { Locale } from '../../sim/hyperv/host/texts.ts'
import { v2Providers } from '../../sim/hyperv/v2/index.ts'

/** What can be given of a property; its type is the schema's. */
export type Given = string | number | boolean | readonly (string | number)[]

export interface WorldOptions {
  readonly build?: number
  readonly locale?: Locale
  /** Windows paths that there are; all where nothing is said. */
  readonly files?: readonly string[]
}

/** An answer, and how the job of it ended where there was one. */
export interface Answered extends MethodResult {
  readonly job?: Job
}

/** A simulated host whose namespace root\virtualization\v2 is asked directly. */
export class World {
  readonly host: Host
  readonly clock = new ManualClock(Date.UTC(2026, 6, 1))
  readonly repository: Repository

  constructor({ build = 26100, locale = 'en-US', files }: WorldOptions = {}) {
    const random = randomOf('resources')
    const state = newState({ name: 'WIN-SIM', build, cpus: 24, memoryMb: 46_098 }, random, this.clock.now())
    this.host = new Host(state, { clock: this.clock, random, locale })
    if (files !== undefined) giveImageFiles(this.host, { exists: path => files.includes(path) })
    const schema = loadSchema('root\\virtualization\\v2', build)
    this.repository = new Repository(schema, v2Providers(this.host, schema), state.name)
  }

  /** A new machine that is off. */
  define(name: string, generation: 1 | 2 = 2): Vm {
    const settings = new Map<string, CimValue>([['ElementName', name]])
    if (generation === 2) settings.set('VirtualSystemSubType', 'Microsoft:Hyper-V:SubType:2')
    return defineSystem(this.host, { settings })
  }

  start(vm: Vm): void {
    turnOn(this.host, vm)
  }

  stop(vm: Vm): void {
    turnOff(this.host, vm)
  }

  /** An instance as text, with the types that the schema tells. */
  embed(className: string, values: Readonly<Record<string, Given>>): string {
    const cls = this.repository.schema.find(className)
    assert(cls !== undefined, className)
    const properties = Object.entries(values).map(([name, value]) => {
      const type = cls.property(name)?.type ?? 'string'
      const items = Array.isArray(value) ? value : [value]
      const texts = items.map(item => `<VALUE>${escapeXml(String(item))}</VALUE>`).join('')
      return Array.isArray(value)
        ? `<PROPERTY.ARRAY NAME="${name}" TYPE="${type}"><VALUE.ARRAY>${texts}</VALUE.ARRAY></PROPERTY.ARRAY>`
        : `<PROPERTY NAME="${name}" TYPE="${type}">${texts}</PROPERTY>`
    })
    return `<INSTANCE CLASSNAME="${className}">${properties.join('')}</INSTANCE>`
  }

  /** A copy of an instance as text, as clients clone definition rows: all that is not NULL, with other values over it. */
  clone(instance: Instance, values: Readonly<Record<string, Given>> = {}): string {
    const own: Record<string, Given> = {}
    for (const [name, value] of instance.values) {
      if (Array.isArray(value)) own[name] = value.map(item => textOf(item))
      else if (value !== null) own[name] = typeof value === 'boolean' ? value : textOf(value)
    }
    return this.embed(instance.class.name, { ...own, ...values })
  }

  /** The default row of a sub type. */
  defaultOf(className: string, subType: string): Instance {
    const found = this.repository.list(className).find(row => {
      const isKind = row.values.get('ResourceSubType') === `Microsoft:Hyper-V:${subType}`
      return isKind && /^Microsoft:Definition\\.*\\Default$/.test(textOf(row.values.get('InstanceID')))
    })
    assert(found !== undefined, subType)
    return found
  }

  /** Calls a method of the one instance of a service, and waits for the job of it. */
  async call(service: string, method: string, input: Readonly<Record<string, CimValue>>): Promise<Answered> {
    const [self] = this.repository.list(service)
    assert(self !== undefined, service)
    const found = this.repository.method(self, method)
    assert(found !== undefined, method)
    const result = await found({
      self,
      input: new Map(Object.entries(input)),
      caller: { user: 'WIN-SIM\\Administrator' },
    })
    const path = result.output?.['Job']
    if (typeof path !== 'string') return result
    await this.clock.advance(60_000)
    const job = this.host.jobs.find(parsePath(path)?.keys.get('InstanceID') ?? '')
    assert(job !== undefined)
    return { ...result, job }
  }

  manage(method: string, input: Readonly<Record<string, CimValue>>): Promise<Answered> {
    return this.call('Msvm_VirtualSystemManagementService', method, input)
  }

  switching(method: string, input: Readonly<Record<string, CimValue>>): Promise<Answered> {
    return this.call('Msvm_VirtualEthernetSwitchManagementService', method, input)
  }

  /** Adds resources to a machine that takes them, and returns the paths of the new settings. */
  async add(vm: Vm, ...texts: readonly string[]): Promise<string[]> {
    const { returnValue, output } = await this.tryToAdd(vm, ...texts)
    assert.equal(returnValue, 0)
    return paths(output?.['ResultingResourceSettings'])
  }

  tryToAdd(vm: Vm, ...texts: readonly string[]): Promise<Answered> {
    return this.manage('AddResourceSettings', {
      AffectedConfiguration: this.settingsPath(vm),
      ResourceSettings: texts,
    })
  }

  modify(className: string, values: Readonly<Record<string, Given>>): Promise<Answered> {
    return this.manage('ModifyResourceSettings', { ResourceSettings: [this.embed(className, values)] })
  }

  remove(...references: readonly string[]): Promise<Answered> {
    return this.manage('RemoveResourceSettings', { ResourceSettings: references })
  }

  /** Adds a SCSI controller and returns its path. */
  async addScsi(vm: Vm): Promise<string> {
    const [path] = await this.add(vm, this.rasd(6, 'Synthetic SCSI Controller', {}))
    assert(path !== undefined)
    return path
  }

  /** Adds a drive to a controller and returns its path. */
  async addDrive(vm: Vm, controller: string, slot: number, kind: 'Disk' | 'DVD' = 'Disk'): Promise<string> {
    const values = { Parent: controller, AddressOnParent: String(slot) }
    const [path] = await this.add(vm, this.rasd(kind === 'Disk' ? 17 : 16, `Synthetic ${kind} Drive`, values))
    assert(path !== undefined)
    return path
  }

  /** A resource allocation as text. */
  rasd(type: number, subType: string, values: Readonly<Record<string, Given>>): string {
    return this.embed('Msvm_ResourceAllocationSettingData', {
      ResourceType: type,
      ResourceSubType: `Microsoft:Hyper-V:${subType}`,
      ...values,
    })
  }

  /** An image as text. */
  image(drive: string, file: string, subType = 'Virtual Hard Disk'): string {
    return this.embed('Msvm_StorageAllocationSettingData', {
      ResourceType: 31,
      ResourceSubType: `Microsoft:Hyper-V:${subType}`,
      Parent: drive,
      HostResource: [file],
    })
  }

  settingsPath(vm: Vm): string {
    return settingsPath(this.host.state.name, 'Msvm_VirtualSystemSettingData', `Microsoft:${vm.id}`)
  }

  /** What a path leads to; it must lead somewhere. */
  at(path: string | undefined): Instance {
    const name = parsePath(path ?? '')
    assert(name !== undefined, path)
    const found = this.repository.find(name)
    assert(found !== undefined, path)
    return found
  }

  /** The settings of a machine of one class, over the association that clients use. */
  partsOf(vm: Vm, resultClass: string): Instance[] {
    return this.repository.associators(nameAt(this.settingsPath(vm)), {
      associationClass: 'Msvm_VirtualSystemSettingDataComponent',
      resultClass,
    })
  }
}

export function nameAt(path: string): ObjectName {
  const name = parsePath(path)
  assert(name !== undefined, path)
  return name
}

/** A value as text; empty for NULL and for what has no text. */
export function textOf(value: CimValue | undefined): string {
  return typeof value === 'object' || value === undefined ? '' : String(value)
}

export const textIn = (instance: Instance | undefined, name: string): string => textOf(valueIn(instance, name))

export const valueIn = (instance: Instance | undefined, name: string): CimValue => instance?.values.get(name) ?? null

export function paths(value: CimValue | undefined): string[] {
  assert(Array.isArray(value))
  return value.filter(item => typeof item === 'string')
}

/** That a call was refused after its answer, as hosts do: by a job that ended in exception with this code. */
export function assertFailedJob(answered: Answered, code: number): void {
  assert.equal(answered.returnValue, 4096)
  assert.equal(answered.job?.state, 10)
  assert.equal(answered.job?.failure?.code, code)
}

// As numbers: the names of these two are refused within what is embedded.
const escapeXml = (text: string): string => text.replaceAll('&', '&#38;').replaceAll('<', '&#60;')
