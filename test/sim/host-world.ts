import assert from 'node:assert/strict'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { parsePath, pathOf } from '../../sim/hyperv/cim/path.ts'
import type { MethodResult, ObjectName } from '../../sim/hyperv/cim/provider.ts'
import { Repository } from '../../sim/hyperv/cim/repository.ts'
import { loadSchema, type Namespace } from '../../sim/hyperv/cim/schema.ts'
import { cimv2Providers } from '../../sim/hyperv/cimv2/index.ts'
import type { AnswerMode, Faults } from '../../sim/hyperv/faults/plan.ts'
import { NO_FAULTS } from '../../sim/hyperv/faults/plan.ts'
import { ManualClock } from '../../sim/hyperv/host/clock.ts'
import { defineSystem } from '../../sim/hyperv/host/definition.ts'
import type { Host } from '../../sim/hyperv/host/host.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { type OpenHost, openHost } from '../../sim/hyperv/host/open-host.ts'
import { v2Providers } from '../../sim/hyperv/v2/index.ts'
import { parseWql } from '../../sim/hyperv/wql/query.ts'
import { runQuery } from '../../sim/hyperv/wql/run.ts'

export const V2 = 'root\\virtualization\\v2'
export const OWNER = 'HVHOST\\Administrator'
export const START = Date.UTC(2026, 9, 5, 4, 23, 50)

/** A host with a clock of its own, and what it shows. */
export interface World {
  readonly host: Host
  readonly clock: ManualClock
  readonly v2: Repository
  readonly cimv2: Repository
  readonly close: () => Promise<void>
}

export async function worldOf(options: OpenHost & { readonly answers?: AnswerMode } = {}): Promise<World> {
  const { answers = 'real', ...rest } = options
  const clock = options.clock instanceof ManualClock ? options.clock : new ManualClock(START)
  const faults: Faults = { ...(options.faults ?? NO_FAULTS), answers }
  const { host, close } = await openHost({ seed: 'a seed', build: 26100, ...rest, clock, faults })
  const repository = (namespace: Namespace, providers: typeof v2Providers): Repository => {
    const schema = loadSchema(namespace, host.state.build)
    return new Repository(schema, providers(host, schema), host.state.name)
  }
  return { host, clock, v2: repository(V2, v2Providers), cimv2: repository('root\\cimv2', cimv2Providers), close }
}

/** A machine that is off. */
export function machineIn({ host }: World, name: string, guest: Vm['guest'] = 'none', generation: 1 | 2 = 1): Vm {
  const settings = new Map<string, CimValue>([
    ['ElementName', name],
    ['VirtualSystemSubType', `Microsoft:Hyper-V:SubType:${generation}`],
  ])
  return defineSystem(host, { settings, guest })
}

export function query(repository: Repository, wql: string): readonly Instance[] {
  return runQuery(repository, parseWql(wql)).instances
}

export function onlyOne(repository: Repository, wql: string): Instance {
  const [instance, ...others] = query(repository, wql)
  assert(
    instance !== undefined && others.length === 0,
    `${wql} gives ${others.length + Number(instance !== undefined)}`,
  )
  return instance
}

export const systemOf = ({ v2 }: World, vm: Vm): Instance =>
  onlyOne(v2, `SELECT * FROM Msvm_ComputerSystem WHERE Name = '${vm.id}'`)

export const settingsOf = ({ v2 }: World, vm: Vm): Instance =>
  onlyOne(v2, `SELECT * FROM Msvm_VirtualSystemSettingData WHERE InstanceID = 'Microsoft:${vm.id}'`)

export const jobAt = ({ v2 }: World, result: MethodResult): Instance => {
  const path = result.output?.['Job']
  const name = typeof path === 'string' ? parsePath(path) : undefined
  const found = name === undefined ? undefined : v2.find(name)
  assert(found !== undefined, `no job for return value ${result.returnValue}`)
  return found
}

export const pathTo = ({ v2 }: World, instance: Instance): string => pathOf(instance, v2.hostName, V2)

export async function call(
  repository: Repository,
  self: Instance,
  method: string,
  input: Readonly<Record<string, CimValue>> = {},
): Promise<MethodResult> {
  const found = repository.method(self, method)
  assert(found !== undefined, `${self.class.name} has no ${method}`)
  return found({ self, input: new Map(Object.entries(input)), caller: { user: OWNER } })
}

/** A method of the management service. */
export function manage(
  { v2 }: World,
  method: string,
  input: Readonly<Record<string, CimValue>> = {},
): Promise<MethodResult> {
  return call(v2, onlyOne(v2, 'SELECT * FROM Msvm_VirtualSystemManagementService'), method, input)
}

/** An embedded instance as clients write it: the types are the caller's. */
export function embedded(className: string, properties: Readonly<Record<string, readonly [string, CimValue]>>): string {
  const value = (one: unknown): string =>
    `<VALUE>${String(one).replaceAll('<', '&#60;').replaceAll('&', '&#38;')}</VALUE>`
  const written = Object.entries(properties).map(([name, [type, content]]) =>
    Array.isArray(content)
      ? `<PROPERTY.ARRAY NAME="${name}" TYPE="${type}"><VALUE.ARRAY>${content.map(value).join('')}</VALUE.ARRAY></PROPERTY.ARRAY>`
      : `<PROPERTY NAME="${name}" TYPE="${type}">${value(content)}</PROPERTY>`,
  )
  return `<INSTANCE CLASSNAME="${className}">${written.join('')}</INSTANCE>`
}

export const nameOfVmSystem = (vm: Vm): ObjectName => ({
  className: 'Msvm_ComputerSystem',
  keys: new Map([
    ['CreationClassName', 'Msvm_ComputerSystem'],
    ['Name', vm.id],
  ]),
})
