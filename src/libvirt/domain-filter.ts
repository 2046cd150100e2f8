import type { Domain } from '../drivers/driver.ts'
import { has } from './flag-check.ts'
import {
  VIR_CONNECT_LIST_DOMAINS_ACTIVE,
  VIR_CONNECT_LIST_DOMAINS_AUTOSTART,
  VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT,
  VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT,
  VIR_CONNECT_LIST_DOMAINS_INACTIVE,
  VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE,
  VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART,
  VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT,
  VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE,
  VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT,
  VIR_CONNECT_LIST_DOMAINS_OTHER,
  VIR_CONNECT_LIST_DOMAINS_PAUSED,
  VIR_CONNECT_LIST_DOMAINS_PERSISTENT,
  VIR_CONNECT_LIST_DOMAINS_RUNNING,
  VIR_CONNECT_LIST_DOMAINS_SHUTOFF,
  VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { isActiveState } from './remembered.ts'
import { askEach } from './side-by-side.ts'

const STATES = [
  VIR_CONNECT_LIST_DOMAINS_RUNNING,
  VIR_CONNECT_LIST_DOMAINS_PAUSED,
  VIR_CONNECT_LIST_DOMAINS_SHUTOFF,
  VIR_CONNECT_LIST_DOMAINS_OTHER,
] as const

/** Of each pair the flag for those that are so, and the flag for those that are not. */
const PAIRS = {
  active: [VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_CONNECT_LIST_DOMAINS_INACTIVE],
  persistent: [VIR_CONNECT_LIST_DOMAINS_PERSISTENT, VIR_CONNECT_LIST_DOMAINS_TRANSIENT],
  saved: [VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE],
  autostart: [VIR_CONNECT_LIST_DOMAINS_AUTOSTART, VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART],
  snapshot: [VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT],
  checkpoint: [VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT],
} as const

/** All flags that choose domains. */
export const DOMAIN_FILTERS: number = [...STATES, ...Object.values(PAIRS).flat()].reduce((sum, flag) => sum | flag, 0)

/**
 * The domains that flags are for: of each group of flags, any that fits; of several groups, all. What it takes a question
 * to the host about each domain to know is asked last, of those that are left.
 */
export async function filterDomains(host: Host, domains: readonly Domain[], flags: number): Promise<readonly Domain[]> {
  if ((flags & DOMAIN_FILTERS) === 0) return domains
  const left = domains.filter(
    ({ id, state }) =>
      fits(flags, PAIRS.active, isActiveState(state)) &&
      fits(flags, PAIRS.persistent, host.ending.get(id) !== 'undefine') &&
      fits(flags, PAIRS.saved, state === 'suspended') &&
      fits(flags, PAIRS.checkpoint, false) &&
      fitsState(flags, state),
  )
  const starting = await those(left, isAsked(flags, PAIRS.autostart), async ({ id }) => {
    const action = (await host.driver.autostart?.get(id)) ?? 'never'
    return fits(flags, PAIRS.autostart, action !== 'never')
  })
  return those(starting, isAsked(flags, PAIRS.snapshot), async ({ id }) => {
    const snapshots = (await host.driver.snapshots?.list(id)) ?? []
    return fits(flags, PAIRS.snapshot, snapshots.length > 0)
  })
}

type Pair = readonly [number, number]

const isAsked = (flags: number, [yes, no]: Pair): boolean => has(flags, yes) !== has(flags, no)

const fits = (flags: number, pair: Pair, is: boolean): boolean =>
  !isAsked(flags, pair) || has(flags, is ? pair[0] : pair[1])

function fitsState(flags: number, state: Domain['state']): boolean {
  if (!STATES.some(flag => has(flags, flag))) return true
  if (state === 'running') return has(flags, VIR_CONNECT_LIST_DOMAINS_RUNNING)
  if (state === 'paused') return has(flags, VIR_CONNECT_LIST_DOMAINS_PAUSED)
  return has(flags, isActiveState(state) ? VIR_CONNECT_LIST_DOMAINS_OTHER : VIR_CONNECT_LIST_DOMAINS_SHUTOFF)
}

async function those(
  domains: readonly Domain[],
  isNeeded: boolean,
  isSo: (domain: Domain) => Promise<boolean>,
): Promise<readonly Domain[]> {
  if (!isNeeded) return domains
  const answers = await askEach(domains, isSo)
  return domains.filter((_domain, index) => answers[index] === true)
}
