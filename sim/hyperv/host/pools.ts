import { logicalProcessors } from './default-devices.ts'
import type { Host } from './host.ts'
import { freeMemoryMb } from './life.ts'
import { KINDS, type KindName, kindsOf, type ResourceKind } from './resources-kinds.ts'
import { SHARE_MAX } from './resources-processor.ts'

/** A pool that resources are taken from. This host has the primordial ones, which are as old as the host. */
export interface Pool {
  readonly kindName: KindName
  readonly kind: ResourceKind
  readonly className: 'Msvm_ResourcePool' | 'Msvm_ProcessorPool' | 'Msvm_Synth3dVideoPool'
  /** InstanceID, as hosts spell it. */
  readonly id: string
  /** The GUID in upper case: of the definitions and capabilities. */
  readonly definition: string
}

/**
 * The pools of a host. Source: observed on Server 2025, where 23 are Msvm_ResourcePool, the processors have a pool of a
 * class of their own, and so has the synthetic video.
 */
export function poolsOf(host: Pick<Host, 'state'>): Pool[] {
  const { build } = host.state
  return kindsOf(build).flatMap(([kindName, kind]) => {
    const { pool, definition } = kind
    if (kindName === 'synthetic3dDisplay') return [video(kind)]
    if (pool === undefined || definition === undefined) return []
    if (build < (pool.since ?? 0) || build > (pool.until ?? Number.POSITIVE_INFINITY)) return []
    const className = kindName === 'processor' ? 'Msvm_ProcessorPool' : 'Msvm_ResourcePool'
    return [{ kindName, kind, className, id: `Microsoft:${pool.id}`, definition }]
  })
}

const video = (kind: ResourceKind): Pool => {
  const { definition } = KINDS.synthetic3dDisplay
  const className = 'Msvm_Synth3dVideoPool'
  return { kindName: 'synthetic3dDisplay', kind, className, id: `Microsoft:${definition}`, definition }
}

/** How much a pool holds; undefined for what is not counted. */
export interface Holding {
  readonly capacity: number
  readonly reserved: number
}

export function holdingOf(host: Host, { kindName }: Pool): Holding | undefined {
  if (kindName === 'processor') return { capacity: logicalProcessors(host) * SHARE_MAX, reserved: 0 }
  if (kindName !== 'memory') return undefined
  const { memoryMb } = host.state
  return { capacity: memoryMb, reserved: memoryMb - freeMemoryMb(host) }
}
