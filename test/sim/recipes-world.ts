import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { writeEmbedded } from '../../sim/hyperv/cim/embedded.ts'
import { makeInstance } from '../../sim/hyperv/cim/instance.ts'
import type { CimScalar, CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { nameOf, parsePath, pathOf } from '../../sim/hyperv/cim/path.ts'
import type { MethodResult } from '../../sim/hyperv/cim/provider.ts'
import { call, query, V2, type World, worldOf } from './host-world.ts'
import { atEnd } from '../support/at-end.ts'

// Recipes: scripts that their author ran on hosts, mostly of Windows Server 2025, and what the hosts said. Here each is
// its calls, in their order, and what was observed: return values, how jobs ended, and what was read back.
// Source: github.com/Justsenger/HyperV-WMI-Documentation, verify/recipes (MIT, (c) 2026 Justsenger).

export const VSSD = 'Msvm_VirtualSystemSettingData'
export const RASD = 'Msvm_ResourceAllocationSettingData'
export const SASD = 'Msvm_StorageAllocationSettingData'
export const NIC = 'Msvm_SyntheticEthernetPortSettingData'
export const PORT = 'Msvm_EthernetPortAllocationSettingData'
const MANAGEMENT = 'Msvm_VirtualSystemManagementService'
const JOB_MS = 60_000

export type Values = Readonly<Record<string, CimValue>>

/** The builds that recipes are tried on: that of their author, and one before. */
export const RECIPE_BUILDS = [26100, 20348] as const

/** How a call ended: `4096/7` for a job that completed, `4096/10/32773` for one in exception, else the return value. */
export interface Ended {
  readonly how: string
  readonly output: Values
  readonly error: string
}

/** A host on which recipes are carried out as their author's scripts do: whole objects go out and come back. */
export class RecipeHost {
  readonly world: World
  /** Where the host's drive C is. */
  readonly folder: string

  private constructor(world: World, folder: string) {
    this.world = world
    this.folder = folder
  }

  static async open(context: TestContext, build: number): Promise<RecipeHost> {
    const folder = mkdtempSync(join(tmpdir(), 'sim-recipe-'))
    const world = await worldOf({ build, folder })
    atEnd(context, async () => {
      await world.close()
      rmSync(folder, { recursive: true, force: true })
    })
    return new RecipeHost(world, folder)
  }

  /** DefineSystem with a name and a generation, as nearly every recipe begins; the system that it made. */
  async define(generation: 1 | 2 = 2, name = 'WMITEST'): Promise<Instance> {
    const settings = { ElementName: name, VirtualSystemSubType: `Microsoft:Hyper-V:SubType:${generation}` }
    const { how, output } = await this.manage('DefineSystem', { SystemSettings: this.made(VSSD, settings) })
    assert.equal(how, '0')
    return this.at(output['ResultingSystem'])
  }

  /** DestroySystem, as every recipe ends; nothing of the machine is left. */
  async destroy(system: Instance): Promise<void> {
    assert.equal(await this.how('DestroySystem', { AffectedSystem: this.path(system) }), '4096/7')
    assert.equal(this.rows(`SELECT * FROM Msvm_ComputerSystem WHERE Name = '${read(system, 'Name')}'`).length, 0)
  }

  /** `[wmiclass]::CreateInstance()`, properties set, and `GetText(1)` of it. */
  made(className: string, values: Values): string {
    const cls = this.world.v2.schema.find(className)
    assert(cls !== undefined, className)
    return asTaken(writeEmbedded(makeInstance(cls, values), null))
  }

  /** `GetText(1)` of an instance with some properties set: all the others go along as they are. */
  text(instance: Instance, changes: Values = {}): string {
    const fallbacks = new Set([...(instance.fallbacks ?? [])].filter(name => !(name in changes)))
    const values = new Map([...instance.values, ...Object.entries(changes)])
    const place = { host: this.world.v2.hostName, namespace: V2 }
    return asTaken(writeEmbedded({ ...instance, values, fallbacks }, place))
  }

  /** The template of a resource: its primordial pool, the pool's capabilities, and their settings with ValueRole 0. */
  template(subType: string): Instance {
    const [pool, ...pools] = this.rows(
      `SELECT * FROM Msvm_ResourcePool WHERE ResourceSubType = '${subType}' AND Primordial = TRUE`,
    )
    assert(pool !== undefined && pools.length === 0, subType)
    const [capabilities] = this.related(pool, 'Msvm_ElementCapabilities', 'Msvm_AllocationCapabilities')
    assert(capabilities !== undefined, subType)
    const found = this.world.v2
      .references(nameOf(capabilities), { resultClass: 'Msvm_SettingsDefineCapabilities' })
      .filter(reference => read(reference, 'ValueRole') === '0')
    assert.equal(found.length, 1, subType)
    return this.at(found[0]?.values.get('PartComponent'))
  }

  /** The template of a feature of ports: one that is a definition's default. */
  feature(className: string): Instance {
    const found = this.world.v2
      .list(className)
      .filter(row => /^Microsoft:Definition.*Default$/.test(read(row, 'InstanceID')))
    assert(found.length === 1 && found[0] !== undefined, className)
    return found[0]
  }

  related(of: Instance, associationClass: string, resultClass: string): readonly Instance[] {
    return this.world.v2.associators(nameOf(of), { associationClass, resultClass })
  }

  /** The settings of a machine itself, over the association that leads to no snapshot. */
  settings(system: Instance): Instance {
    return only(this.related(system, 'Msvm_SettingsDefineState', VSSD))
  }

  parts(system: Instance, className: string): readonly Instance[] {
    const joined = this.world.v2.associators(nameOf(this.settings(system)), { resultClass: className })
    return joined.filter(part => part.class.name === className)
  }

  part(system: Instance, className: string): Instance {
    return only(this.parts(system, className))
  }

  /** The resource allocations of one sub type. */
  resources(system: Instance, subType: string): readonly Instance[] {
    return this.parts(system, RASD).filter(part => read(part, 'ResourceSubType') === subType)
  }

  /** AddResourceSettings, and the one resource that it made. */
  async add(system: Instance, text: string): Promise<Instance> {
    const { how, output, error } = await this.adding(system, text)
    assert.equal(how, '0', error)
    const made = output['ResultingResourceSettings']
    assert(Array.isArray(made))
    return this.at(made[0])
  }

  adding(system: Instance, text: string): Promise<Ended> {
    const configuration = this.path(this.settings(system))
    return this.manage('AddResourceSettings', { AffectedConfiguration: configuration, ResourceSettings: [text] })
  }

  async modify(instance: Instance, changes: Values): Promise<string> {
    return this.how('ModifyResourceSettings', { ResourceSettings: [this.text(instance, changes)] })
  }

  async modifySystem(settings: Instance, changes: Values): Promise<string> {
    return this.how('ModifySystemSettings', { SystemSettings: this.text(settings, changes) })
  }

  request(system: Instance, state: number): Promise<string> {
    return this.invoke(system, 'RequestStateChange', { RequestedState: state }).then(({ how }) => how)
  }

  async how(method: string, input: Values): Promise<string> {
    return (await this.manage(method, input)).how
  }

  manage(method: string, input: Values): Promise<Ended> {
    return this.service(MANAGEMENT, method, input)
  }

  service(className: string, method: string, input: Values): Promise<Ended> {
    return this.invoke(only(this.world.v2.list(className)), method, input)
  }

  /** Calls a method and lets its job end. */
  async invoke(self: Instance, method: string, input: Values = {}): Promise<Ended> {
    const { returnValue, output = {} } = await call(this.world.v2, self, method, input)
    return this.#end({ returnValue, output })
  }

  async #end({ returnValue, output = {} }: MethodResult): Promise<Ended> {
    const path = output['Job']
    if (typeof path !== 'string') return { how: String(returnValue), output, error: '' }
    const id = parsePath(path)?.keys.get('InstanceID') ?? ''
    const done = this.world.host.jobs.ended(id)
    await this.world.clock.advance(JOB_MS)
    await done
    const job = this.at(path)
    const code = read(job, 'ErrorCode')
    const how = `${returnValue}/${read(job, 'JobState')}${code === '0' ? '' : `/${code}`}`
    return { how, output, error: read(job, 'ErrorDescription') }
  }

  rows(wql: string): readonly Instance[] {
    return query(this.world.v2, wql)
  }

  path(instance: Instance): string {
    return pathOf(instance, this.world.v2.hostName, V2)
  }

  /** What a path leads to, read afresh; it must lead somewhere. */
  at(path: CimValue | undefined): Instance {
    const name = typeof path === 'string' ? parsePath(path) : undefined
    const found = name === undefined ? undefined : this.world.v2.find(name)
    assert(found !== undefined, printed(path ?? null))
    return found
  }

  again(instance: Instance): Instance {
    return this.at(this.path(instance))
  }
}

/** What a host writes it does not take back: entities by name. */
const asTaken = (text: string): string => text.replaceAll('&amp;', '&#38;').replaceAll('&lt;', '&#60;')

export function only<T>(items: readonly T[]): T {
  const [first, ...others] = items
  assert(first !== undefined && others.length === 0, `${items.length} of what there is one of`)
  return first
}

/** A property as scripts print it. */
export function read(instance: Instance, name: string): string {
  assert(instance.class.property(name) !== undefined, `${instance.class.name} has no ${name}`)
  return printed(instance.values.get(name) ?? null)
}

/** A value as scripts print it: nothing for NULL, items with commas between them. */
export function printed(value: CimValue): string {
  if (isList(value)) return value.map(printed).join(',')
  return value === null || typeof value === 'object' ? '' : String(value)
}

/** What is read after `set` where it is taken as it is. */
export const printedAll = (set: Values): Record<string, string> =>
  Object.fromEntries(Object.entries(set).map(([name, value]) => [name, printed(value)]))

export const readAll = (instance: Instance, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map(name => [name, read(instance, name)]))

const isList = (value: CimValue): value is readonly CimScalar[] => Array.isArray(value)

/** Tries a recipe on each build, on a host of its own. */
export function describeRecipe(name: string, run: (host: RecipeHost) => Promise<void>): void {
  for (const build of RECIPE_BUILDS) {
    test(`${name}, on build ${build}`, async context => run(await RecipeHost.open(context, build)))
  }
}
