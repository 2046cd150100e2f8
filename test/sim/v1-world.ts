import assert from 'node:assert/strict'
import type { CimValue, Instance } from '../../sim/hyperv/cim/model.ts'
import { parsePath } from '../../sim/hyperv/cim/path.ts'
import type { MethodResult } from '../../sim/hyperv/cim/provider.ts'
import { Repository } from '../../sim/hyperv/cim/repository.ts'
import { loadSchema } from '../../sim/hyperv/cim/schema.ts'
import type { OpenHost } from '../../sim/hyperv/host/open-host.ts'
import { v1Providers } from '../../sim/hyperv/v1/index.ts'
import type { AnswerMode } from '../../sim/hyperv/faults/plan.ts'
import { call, onlyOne, type World, worldOf } from './host-world.ts'

/** A host that shows root\virtualization; that of build 9200 shows root\virtualization\v2 beside it. */
export interface V1World extends World {
  readonly v1: Repository
}

export async function v1WorldOf(options: OpenHost & { readonly answers?: AnswerMode } = {}): Promise<V1World> {
  const world = await worldOf({ build: 9200, ...options })
  const schema = loadSchema('root\\virtualization', world.host.state.build)
  return { ...world, v1: new Repository(schema, v1Providers(world.host, schema), world.host.state.name) }
}

/** A method of one of the host's services in root\virtualization. */
export function serve(
  { v1 }: V1World,
  service: 'VirtualSystem' | 'VirtualSwitch' | 'Image',
  method: string,
  input: Readonly<Record<string, CimValue>> = {},
): Promise<MethodResult> {
  return call(v1, onlyOne(v1, `SELECT * FROM Msvm_${service}ManagementService`), method, input)
}

/** The instance that an out parameter of a result leads to. */
export function outOf({ v1 }: V1World, { returnValue, output }: MethodResult, parameter: string): Instance {
  const value = output?.[parameter]
  const path = Array.isArray(value) ? value[0] : value
  const name = typeof path === 'string' ? parsePath(path) : undefined
  const found = name === undefined ? undefined : v1.find(name)
  assert(found !== undefined, `no ${parameter} with return value ${returnValue}`)
  return found
}

/** A value as text; '' for what is none. */
export const textAt = (value: CimValue | undefined): string => (typeof value === 'string' ? value : '')

export const pathHere = ({ v1 }: V1World, instance: Instance): string => v1.pathOf(instance)

/** A machine that v1 defines, off. */
export async function defineHere(world: V1World, name: string): Promise<Instance> {
  const text = `<INSTANCE CLASSNAME="Msvm_VirtualSystemGlobalSettingData"><PROPERTY NAME="ElementName" TYPE="string"><VALUE>${name}</VALUE></PROPERTY></INSTANCE>`
  return outOf(
    world,
    await serve(world, 'VirtualSystem', 'DefineVirtualSystem', { SystemSettingData: text }),
    'DefinedSystem',
  )
}
