import { type DomainId, DriverError, type Snapshot, type SnapshotOps } from '../driver.ts'
import { giveMachine } from './birth.ts'
import type { Connection } from './connection.ts'
import { behaviourOf } from './fixtures.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import type { KeptState } from './kept-state.ts'
import { assertState, enter, halt } from './life.ts'

/** How many snapshots of a domain are kept. */
const SNAPSHOTS_MAX = 50

/** The snapshots of a memory host: guests change sizes of volumes alone, and those are kept; nobody else writes to them meanwhile. */
export function snapshotOps(host: MemoryHost, connection: Connection): SnapshotOps {
  const takesMs = (id: DomainId) => behaviourOf(host.domains.get(id)?.config.name ?? '').workMs
  return {
    list: id => connection.call('snapshots.list', () => listOf(host.domain(id))),
    create(id, { name, description }, options) {
      const effect = () => create(host, host.domain(id), { name, description })
      return connection.call('snapshots.create', effect, { ...options, takesMs: takesMs(id) })
    },
    revert: (id, snapshot, options) =>
      connection.call('snapshots.revert', () => revert(host, host.domain(id), snapshot), {
        ...options,
        takesMs: takesMs(id),
      }),
    remove(id, snapshot, { children = false, ...options } = {}) {
      const effect = () => remove(host.domain(id), snapshot, children)
      return connection.call('snapshots.remove', effect, { ...options, takesMs: takesMs(id) })
    },
  }
}

function listOf({ snapshots, currentSnapshot }: MemoryDomain): Snapshot[] {
  return snapshots.map(one => describe(one, currentSnapshot))
}

function describe(kept: KeptState, current: string | null): Snapshot {
  const { id, name, description, createdMs, state, parent, machine } = kept
  const told = { id, name, description, createdMs, state, parent, isCurrent: id === current }
  return machine?.paused === true ? { ...told, wasPaused: true } : told
}

function create(host: MemoryHost, domain: MemoryDomain, wish: Pick<Snapshot, 'name' | 'description'>): Snapshot {
  assertState(domain, 'take a snapshot of', ['halted', 'running', 'paused', 'suspended'])
  if (domain.snapshots.length >= SNAPSHOTS_MAX) {
    throw new DriverError('refused', `${domain.now.name} has ${SNAPSHOTS_MAX} snapshots already`)
  }
  const { active } = domain
  if (active !== null) host.writeBack(active)
  const paused = domain.now.state === 'suspended' ? domain.isSavedPaused : domain.now.state === 'paused'
  const machine = active === null ? null : { config: active.config, uptimeMs: active.guest.uptimeMs, paused }
  const { disks } = active?.config ?? domain.config
  domain.snapshotCount += 1
  const kept: KeptState = {
    id: String(domain.snapshotCount),
    ...wish,
    createdMs: Date.now(),
    state: machine === null ? 'halted' : 'suspended',
    parent: domain.currentSnapshot,
    config: domain.config,
    machine,
    volumes: disks.flatMap(({ location }) => (host.volumes.has(location) ? [host.volumes.get(location)] : [])),
  }
  domain.snapshots = [...domain.snapshots, kept]
  domain.currentSnapshot = kept.id
  return describe(kept, kept.id)
}

/** What is missing is said before anything is changed. */
function revert(host: MemoryHost, domain: MemoryDomain, id: string): void {
  const kept = snapshotOf(domain, id)
  for (const { location } of kept.volumes) {
    if (!host.volumes.has(location)) throw new DriverError('refused', `there is no volume at ${location} any more`)
    host.openFiles.assertClosed(location)
  }
  if (domain.active !== null) {
    domain.active.guest.cut()
    halt(host, domain)
  }
  for (const volume of kept.volumes) host.volumes.setBack(volume)
  const { name, description } = domain.config
  domain.config = { ...kept.config, name, description }
  domain.currentSnapshot = id
  if (kept.machine === null) return host.emit(domain.now.id, 'changed')
  giveMachine(host, domain, kept.machine.config).age(kept.machine.uptimeMs)
  domain.isSavedPaused = kept.machine.paused
  enter(host, domain, 'suspended')
}

function remove(domain: MemoryDomain, id: string, children: boolean): void {
  const { parent } = snapshotOf(domain, id)
  const gone = children ? treeOf(domain, id) : new Set([id])
  domain.snapshots = domain.snapshots
    .filter(one => !gone.has(one.id))
    .map(one => (one.parent !== null && gone.has(one.parent) ? { ...one, parent } : one))
  if (domain.currentSnapshot !== null && gone.has(domain.currentSnapshot)) domain.currentSnapshot = parent
}

/** A snapshot and all that build on it, which were made after it. */
function treeOf({ snapshots }: MemoryDomain, root: string): Set<string> {
  const found = new Set([root])
  for (const { id, parent } of snapshots) if (parent !== null && found.has(parent)) found.add(id)
  return found
}

function snapshotOf({ snapshots, now }: MemoryDomain, id: string): KeptState {
  const found = snapshots.find(one => one.id === id)
  if (found === undefined) throw new DriverError('not-found', `${now.name} has no snapshot ${id}`)
  return found
}
