import type { Snapshot } from '../drivers/driver.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE,
  VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY,
  VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL,
  VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE,
  VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL,
  VIR_DOMAIN_SNAPSHOT_LIST_LEAVES,
  VIR_DOMAIN_SNAPSHOT_LIST_METADATA,
  VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES,
  VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA,
  VIR_DOMAIN_SNAPSHOT_LIST_ROOTS,
  VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL,
} from './flags/index.ts'
import type { Host } from './host.ts'

/** A snapshot of the host, by a name that no other of its domain has. */
export interface NamedSnapshot extends Snapshot {
  readonly parentName: string | null
}

/** By what a domain was: one of which the disks alone were kept while it was active there is not. */
const OF_STATE =
  VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE | VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE | VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY
const LIST = {
  known:
    VIR_DOMAIN_SNAPSHOT_LIST_ROOTS |
    VIR_DOMAIN_SNAPSHOT_LIST_METADATA |
    VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA |
    VIR_DOMAIN_SNAPSHOT_LIST_LEAVES |
    VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES |
    OF_STATE |
    VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL |
    VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL |
    VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL,
}

/**
 * The snapshots of a domain, parents first, by names that are unique: hosts let several have one name, and of these each
 * is called by what the host calls it too.
 */
export async function snapshotsOf(host: Host, name: FunctionName, domain: string): Promise<readonly NamedSnapshot[]> {
  const snapshots = await host.seeing(domain, () => host.group(name, 'snapshots').list(domain))
  const counts = new Map<string, number>()
  for (const each of snapshots) counts.set(each.name, (counts.get(each.name) ?? 0) + 1)
  const names = new Map(
    snapshots.map(each => [each.id, (counts.get(each.name) ?? 0) > 1 ? `${each.name} ${each.id}` : each.name]),
  )
  return snapshots.map(each => ({
    ...each,
    name: names.get(each.id) ?? each.name,
    parentName: each.parent === null ? null : (names.get(each.parent) ?? null),
  }))
}

/** Those that flags are for; of flags of one pair any that fits, of several all. `first` is what the first flag means. */
export function selected(
  name: FunctionName,
  all: readonly NamedSnapshot[],
  { flags, keepsSnapshots }: { readonly flags: number; readonly keepsSnapshots: boolean },
  first: (snapshot: NamedSnapshot, isGiven: boolean) => boolean,
): readonly NamedSnapshot[] {
  checkFlags(name, flags, LIST)
  const parents = new Set(all.map(({ parent }) => parent))
  const fits = (yes: number, no: number, is: boolean) =>
    !has(flags, yes | no) || (is ? has(flags, yes) : has(flags, no))
  return all.filter(snapshot => {
    const isLeaf = !parents.has(snapshot.id)
    const ofState = snapshot.state === 'suspended' ? VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE : VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE
    return (
      first(snapshot, has(flags, VIR_DOMAIN_SNAPSHOT_LIST_ROOTS)) &&
      fits(VIR_DOMAIN_SNAPSHOT_LIST_METADATA, VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA, keepsSnapshots) &&
      fits(VIR_DOMAIN_SNAPSHOT_LIST_LEAVES, VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES, isLeaf) &&
      fits(VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL, VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL, true) &&
      (!has(flags, OF_STATE) || has(flags, ofState))
    )
  })
}

/** Those that build on a snapshot; with `isDeep` those that build on these too. Parents come first in `all`. */
export function childrenOf(all: readonly NamedSnapshot[], id: string, isDeep: boolean): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { id: each, parent } of all) {
    if (parent === id || (isDeep && parent !== null && found.has(parent))) found.add(each)
  }
  return found
}
