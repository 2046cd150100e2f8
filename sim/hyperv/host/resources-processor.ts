import { logicalProcessors } from './default-devices.ts'
import type { Host } from './host.ts'
import type { Settings } from './model.ts'
import { type OperationError, Return } from './operation-error.ts'
import { type Draft, type ResourceContext, refusal } from './resources-context.ts'
import { type Values, withValues } from './resources-settings.ts'
import type { Reason } from './resources-texts.ts'
import { numberIn } from './settings.ts'

/** What Reservation, Limit and Weight may be: thousandths of a percent of one processor, and a relative weight. */
export const SHARE_MAX = 100_000
export const WEIGHT_RANGE = { least: 1, most: 10_000 } as const

/** How many processors a machine may have here. Source: Microsoft Learn, "Plan for Hyper-V scalability", per version. */
export function processorsMax(host: Pick<Host, 'state'>): number {
  const { build } = host.state
  const most = build >= 26100 ? 2048 : build >= 14393 ? 240 : build >= 9200 ? 64 : 4
  return Math.min(most, logicalProcessors(host))
}

// From Server 2016 on these can be changed while the machine runs.
const ONLINE: ReadonlySet<string> = new Set(['Limit', 'Reservation', 'Weight'])

/** Changes the processors of a machine. */
export function modifyProcessor(context: ResourceContext, draft: Draft, before: Settings, changes: Values): Settings {
  const { host } = context
  const fail = (reason: Reason, code?: number): OperationError =>
    refusal(host, draft.owner, { doing: 'modify', kind: 'processor', reason, code })
  if (draft.owner.vm.power !== 'off' && !isOnline(host, draft, changes)) throw fail('state', Return.invalidState)
  const after = withValues(before, changes)
  const [quantity, limit] = [numberIn(after, 'VirtualQuantity') ?? 0, numberIn(after, 'Limit') ?? 0]
  const [reservation, weight] = [numberIn(after, 'Reservation') ?? 0, numberIn(after, 'Weight') ?? 0]
  if (quantity < 1 || quantity > processorsMax(host)) throw fail('invalid')
  if (limit > SHARE_MAX || reservation > limit) throw fail('invalid')
  if (weight < WEIGHT_RANGE.least || weight > WEIGHT_RANGE.most) throw fail('invalid')
  if ((numberIn(after, 'HwThreadsPerCore') ?? 0) > 2) throw fail('invalid')
  if (numberIn(after, 'MaxProcessorsPerNumaNode') === 0 || numberIn(after, 'MaxNumaNodesPerSocket') === 0) {
    throw fail('invalid')
  }
  return after
}

function isOnline(host: Host, { owner }: Draft, changes: Values): boolean {
  const { power } = owner.vm
  const isUp = power === 'running' || power === 'paused'
  return isUp && host.state.build >= 14393 && Object.keys(changes).every(name => ONLINE.has(name))
}
