import type { DomainId } from '../drivers/driver.ts'
import { VIR_ERR_NO_DOMAIN_SNAPSHOT } from './error-numbers.ts'
import { checkExclusive, checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN,
  VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY,
  VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY,
  VIR_DOMAIN_SNAPSHOT_XML_SECURE,
} from './flags/index.ts'
import type { Host } from './host.ts'
import { firstOf } from './room.ts'
import { childrenOf, type NamedSnapshot, selected, snapshotsOf } from './snapshot-tree.ts'
import { writeSnapshot } from './xml/domain-snapshot.ts'

const DELETE = {
  known: VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY,
  refused: { VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY },
}

/** A snapshot of a domain, as it was found. Its host knows all there is to know of it. */
export class DomainSnapshot {
  readonly #host: Host
  readonly #domain: DomainId
  readonly #id: string | undefined
  readonly #name: string

  /** With no more than its name, it is the one that is called so whenever something is asked of it. */
  constructor(host: Host, domain: DomainId, { id, name }: { readonly id?: string; readonly name: string }) {
    this.#host = host
    this.#domain = domain
    this.#id = id
    this.#name = name
  }

  /** The name that no other of its domain had when it was found (virDomainSnapshotGetName). */
  getName(): string {
    return this.#name
  }

  /** Describes it in libvirt's XML (virDomainSnapshotGetXMLDesc). */
  async getXMLDesc(flags = 0): Promise<string> {
    return this.#read('virDomainSnapshotGetXMLDesc', (_all, mine) => {
      checkFlags('virDomainSnapshotGetXMLDesc', flags, { known: VIR_DOMAIN_SNAPSHOT_XML_SECURE })
      const place = { domainId: this.#domain, ...(mine.parentName !== null && { parent: mine.parentName }) }
      return writeSnapshot(mine, place)
    })
  }

  /** The one that it builds on; rejects with `VIR_ERR_NO_DOMAIN_SNAPSHOT` where it is the first (virDomainSnapshotGetParent). */
  async getParent(flags = 0): Promise<DomainSnapshot> {
    return this.#read('virDomainSnapshotGetParent', (all, mine) => {
      checkFlags('virDomainSnapshotGetParent', flags, {})
      const parent = all.find(({ id }) => id === mine.parent)
      if (parent !== undefined) return this.#other(parent)
      throw this.#host.error(VIR_ERR_NO_DOMAIN_SNAPSHOT, `snapshot '${this.#name}' does not have a parent`)
    })
  }

  /** Whether what the domain is now builds on it (virDomainSnapshotIsCurrent). */
  async isCurrent(flags = 0): Promise<boolean> {
    return this.#read('virDomainSnapshotIsCurrent', (_all, { isCurrent }) => {
      checkFlags('virDomainSnapshotIsCurrent', flags, {})
      return isCurrent
    })
  }

  /** Whether somebody else than the hypervisor keeps what is known of it (virDomainSnapshotHasMetadata). */
  async hasMetadata(flags = 0): Promise<boolean> {
    return this.#read('virDomainSnapshotHasMetadata', () => {
      checkFlags('virDomainSnapshotHasMetadata', flags, {})
      return this.#host.profile.keepsSnapshots
    })
  }

  /** Those that build on it, and with `VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS` on these (virDomainSnapshotListAllChildren). */
  async listAllChildren(flags = 0): Promise<DomainSnapshot[]> {
    const children = await this.#children('virDomainSnapshotListAllChildren', flags)
    return children.map(each => this.#other(each))
  }

  /** The names of the first `nameslen` of those (virDomainSnapshotListChildrenNames). */
  async listChildrenNames(flags = 0, nameslen?: number): Promise<string[]> {
    const children = await this.#children('virDomainSnapshotListChildrenNames', flags)
    return firstOf(children, nameslen, 'virDomainSnapshotListChildrenNames').map(({ name }) => name)
  }

  /** How many those are (virDomainSnapshotNumChildren). */
  async numChildren(flags = 0): Promise<number> {
    return (await this.#children('virDomainSnapshotNumChildren', flags)).length
  }

  /** Forgets it, those that build on it, or both; the domain's disks stay as they are (virDomainSnapshotDelete). */
  async delete(flags = 0): Promise<void> {
    const name = 'virDomainSnapshotDelete'
    await this.#host.change(name, VIR_ERR_NO_DOMAIN_SNAPSHOT, async () => {
      checkFlags(name, flags, DELETE)
      checkExclusive(
        name,
        flags,
        Object.entries({ VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN, VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY }),
      )
      const snapshots = this.#host.group(name, 'snapshots')
      const mine = await this.#idFor(name)
      if (!has(flags, VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)) {
        const children = has(flags, VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN)
        return snapshots.remove(this.#domain, mine, { children })
      }
      const all = await snapshotsOf(this.#host, name, this.#domain)
      for (const id of childrenOf(all, mine, false)) await snapshots.remove(this.#domain, id, { children: true })
    })
  }

  async #children(name: FunctionName, flags: number): Promise<readonly NamedSnapshot[]> {
    return this.#read(name, (all, mine) => {
      const near = childrenOf(all, mine.id, false)
      const deep = childrenOf(all, mine.id, true)
      const { keepsSnapshots } = this.#host.profile
      return selected(name, all, { flags, keepsSnapshots }, ({ id }, isDeep) => (isDeep ? deep : near).has(id))
    })
  }

  async #read<T>(name: FunctionName, run: (all: readonly NamedSnapshot[], mine: NamedSnapshot) => T): Promise<T> {
    return this.#host.read(name, VIR_ERR_NO_DOMAIN_SNAPSHOT, async () => {
      const all = await snapshotsOf(this.#host, name, this.#domain)
      return run(all, this.#among(all))
    })
  }

  async #idFor(name: FunctionName): Promise<string> {
    return this.#id ?? this.#among(await snapshotsOf(this.#host, name, this.#domain)).id
  }

  #among(all: readonly NamedSnapshot[]): NamedSnapshot {
    const mine = all.find(({ id, name }) => (this.#id === undefined ? name === this.#name : id === this.#id))
    if (mine !== undefined) return mine
    throw this.#host.error(VIR_ERR_NO_DOMAIN_SNAPSHOT, `no domain snapshot with matching name '${this.#name}'`)
  }

  #other(snapshot: NamedSnapshot): DomainSnapshot {
    return new DomainSnapshot(this.#host, this.#domain, snapshot)
  }

  /** What its host calls it: for a function of its domain. */
  static async idOf(snapshot: DomainSnapshot, name: FunctionName): Promise<string> {
    return snapshot.#idFor(name)
  }

  /** The domain that it is of. */
  static domainOf(snapshot: DomainSnapshot): DomainId {
    return snapshot.#domain
  }
}
