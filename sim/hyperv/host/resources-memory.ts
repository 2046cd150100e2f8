import type { Host } from './host.ts'
import { freeMemoryMb } from './life.ts'
import type { Settings } from './model.ts'
import { type OperationError, Return } from './operation-error.ts'
import { type Draft, type ResourceContext, refusal } from './resources-context.ts'
import { type Values, withValues } from './resources-settings.ts'
import type { Reason } from './resources-texts.ts'
import { isTrueIn, numberIn } from './settings.ts'

/** Megabytes of memory come in twos. Source: clients that work against real hosts round up to an even number. */
export const MEMORY_STEP_MB = 2
export const MEMORY_MIN_MB = 32
const BUFFER_RANGE = { least: 5, most: 2000 } as const
const WEIGHT_MAX = 10_000

/** How much memory a machine may have, in MB. Source: Microsoft Learn, "Plan for Hyper-V scalability", per version. */
export function memoryMaxMb(build: number): number {
  if (build >= 26100) return 240 * TB
  if (build >= 14393) return 12 * TB
  return build >= 9200 ? TB : 65_536
}

const TB = 1_048_576

/** Changes the memory of a machine. */
export function modifyMemory(context: ResourceContext, draft: Draft, before: Settings, changes: Values): Settings {
  const { host } = context
  const fail = (reason: Reason, code?: number): OperationError =>
    refusal(host, draft.owner, { doing: 'modify', kind: 'memory', reason, code })
  if (!isAllowedNow(host, draft, before, changes)) throw fail('state', Return.invalidState)
  const after = withValues(before, changes)
  const isDynamic = isTrueIn(after, 'DynamicMemoryEnabled')
  if (isDynamic && isTrueIn(draft.owner.configuration.system, 'VirtualNumaEnabled')) throw fail('spansNuma')
  if (!isAmount(host, numberIn(after, 'VirtualQuantity'))) throw fail('invalid')
  if (isDynamic && !isRange(host, after)) throw fail('invalid')
  const buffer = numberIn(after, 'TargetMemoryBuffer') ?? 20
  if (buffer < BUFFER_RANGE.least || buffer > BUFFER_RANGE.most) throw fail('invalid')
  if ((numberIn(after, 'Weight') ?? 0) > WEIGHT_MAX) throw fail('invalid')
  const more = (numberIn(after, 'VirtualQuantity') ?? 0) - (numberIn(before, 'VirtualQuantity') ?? 0)
  if (draft.owner.vm.power !== 'off' && !isDynamic && more > freeMemoryMb(host))
    throw fail('invalid', Return.outOfMemory)
  return after
}

function isAmount(host: Host, megabytes: number | undefined): boolean {
  if (megabytes === undefined || megabytes % MEMORY_STEP_MB !== 0) return false
  return megabytes >= MEMORY_MIN_MB && megabytes <= memoryMaxMb(host.state.build)
}

function isRange(host: Host, settings: Settings): boolean {
  const [least, startup, most] = ['Reservation', 'VirtualQuantity', 'Limit'].map(name => numberIn(settings, name))
  if (least === undefined || startup === undefined || most === undefined) return false
  return isAmount(host, least) && isAmount(host, most) && least <= startup && startup <= most
}

/**
 * What may be changed while the machine runs: static memory from Server 2016 on; of dynamic memory the bounds, if they
 * become wider, the buffer and the weight.
 */
function isAllowedNow(host: Host, { owner }: Draft, before: Settings, changes: Values): boolean {
  const { power } = owner.vm
  if (power === 'off') return true
  if (power !== 'running' && power !== 'paused') return false
  const isDynamic = isTrueIn(before, 'DynamicMemoryEnabled')
  return Object.entries(changes).every(([name, value]) => {
    const [old, wanted] = [numberIn(before, name) ?? 0, Number(value)]
    if (name === 'Weight' || name === 'TargetMemoryBuffer') return true
    if (!isDynamic) return name === 'VirtualQuantity' && host.state.build >= 14393
    return (name === 'Limit' && wanted >= old) || (name === 'Reservation' && wanted <= old)
  })
}
