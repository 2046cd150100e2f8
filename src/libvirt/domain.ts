import { DomainWithSaving } from './domain-saving.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_DOMAIN_SNAPSHOT,
  VIR_ERR_NO_DOMAIN_SNAPSHOT,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_SNAPSHOT_REVERT_RISKY,
} from './error-numbers.ts'
import { checkExclusive, checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC,
  VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT,
  VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY,
  VIR_DOMAIN_SNAPSHOT_CREATE_HALT,
  VIR_DOMAIN_SNAPSHOT_CREATE_LIVE,
  VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA,
  VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE,
  VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE,
  VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT,
  VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE,
  VIR_DOMAIN_SNAPSHOT_REVERT_FORCE,
  VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED,
  VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM,
  VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING,
} from './flags/index.ts'
import { isActiveState } from './remembered.ts'
import { firstOf } from './room.ts'
import { DomainSnapshot } from './snapshot.ts'
import { type NamedSnapshot, selected, snapshotsOf } from './snapshot-tree.ts'
import { readSnapshot, type SnapshotDescription } from './xml/domain-snapshot.ts'
import { startDomain } from './starting.ts'

// All or nothing is how hosts make snapshots, keep no more of them than they know themselves, and descriptions are
// always held against what is understood.
const CREATE = {
  known:
    VIR_DOMAIN_SNAPSHOT_CREATE_HALT |
    VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC |
    VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA |
    VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE,
  refused: {
    VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE,
    VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT,
    VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY,
    VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT,
    VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE,
    VIR_DOMAIN_SNAPSHOT_CREATE_LIVE,
  },
}
const REVERT = {
  known: VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED | VIR_DOMAIN_SNAPSHOT_REVERT_FORCE,
  refused: { VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM },
}
const RUN_OR_PAUSE = Object.entries({ VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED })

/**
 * A domain: a virtual machine of a host. It is what was found when somebody looked, and its functions look again; where
 * it is gone they reject with `VIR_ERR_NO_DOMAIN`. Every function rejects with LibvirtError.
 */
export class Domain extends DomainWithSaving {
  /**
   * Keeps what it is: disks, definition, and the memory of one that is active, which goes on after it, or with
   * `VIR_DOMAIN_SNAPSHOT_CREATE_HALT` does not (virDomainSnapshotCreateXML).
   */
  async snapshotCreateXML(xml: string, flags = 0): Promise<DomainSnapshot> {
    const name = 'virDomainSnapshotCreateXML'
    return this.change(name, async () => {
      checkFlags(name, flags, CREATE)
      const described = readSnapshot(xml)
      const wanted = { name: described.name ?? `${Math.floor(Date.now() / 1_000)}`, description: described.description }
      const [{ state }, present] = await Promise.all([this.now(), snapshotsOf(this.host, name, this.id)])
      if (present.some(each => each.name === wanted.name)) {
        throw this.host.error(VIR_ERR_OPERATION_FAILED, `domain snapshot ${wanted.name} already exists`)
      }
      this.#assertMemory(described, isActiveState(state))
      const snapshot = await this.host.group(name, 'snapshots').create(this.id, wanted)
      if (has(flags, VIR_DOMAIN_SNAPSHOT_CREATE_HALT) && isActiveState(state)) {
        const halt = () => this.host.driver.domains.powerOff(this.id)
        await this.host.past.deeds.whileDoing(this.id, 'reverted', halt) // libvirt says so of it, too.
        this.host.seen(this.id, { state: 'halted' })
      }
      return new DomainSnapshot(this.host, this.id, snapshot)
    })
  }

  /** Its snapshots, parents first; those that `VIR_DOMAIN_SNAPSHOT_LIST_` flags are for (virDomainListAllSnapshots). */
  async listAllSnapshots(flags = 0): Promise<DomainSnapshot[]> {
    const snapshots = await this.#list('virDomainListAllSnapshots', flags)
    return snapshots.map(each => new DomainSnapshot(this.host, this.id, each))
  }

  /** How many those are (virDomainSnapshotNum). */
  async snapshotNum(flags = 0): Promise<number> {
    return (await this.#list('virDomainSnapshotNum', flags)).length
  }

  /** The names of the first `nameslen` of those (virDomainSnapshotListNames). */
  async snapshotListNames(flags = 0, nameslen?: number): Promise<string[]> {
    const snapshots = await this.#list('virDomainSnapshotListNames', flags)
    return firstOf(snapshots, nameslen, 'virDomainSnapshotListNames').map(({ name }) => name)
  }

  /** The snapshot of this name; rejects with `VIR_ERR_NO_DOMAIN_SNAPSHOT` (virDomainSnapshotLookupByName). */
  async snapshotLookupByName(name: string, flags = 0): Promise<DomainSnapshot> {
    return this.read('virDomainSnapshotLookupByName', async () => {
      checkFlags('virDomainSnapshotLookupByName', flags, {})
      const all = await snapshotsOf(this.host, 'virDomainSnapshotLookupByName', this.id)
      return this.#found(
        all.find(each => each.name === name),
        `no domain snapshot with matching name '${name}'`,
      )
    })
  }

  /** Whether it builds on a snapshot (virDomainHasCurrentSnapshot). */
  async hasCurrentSnapshot(flags = 0): Promise<boolean> {
    return this.read('virDomainHasCurrentSnapshot', async () => {
      checkFlags('virDomainHasCurrentSnapshot', flags, {})
      const all = await snapshotsOf(this.host, 'virDomainHasCurrentSnapshot', this.id)
      return all.some(({ isCurrent }) => isCurrent)
    })
  }

  /** The snapshot that it builds on; rejects with `VIR_ERR_NO_DOMAIN_SNAPSHOT` where there is none (virDomainSnapshotCurrent). */
  async snapshotCurrent(flags = 0): Promise<DomainSnapshot> {
    return this.read('virDomainSnapshotCurrent', async () => {
      checkFlags('virDomainSnapshotCurrent', flags, {})
      const all = await snapshotsOf(this.host, 'virDomainSnapshotCurrent', this.id)
      return this.#found(
        all.find(({ isCurrent }) => isCurrent),
        'the domain does not have a current snapshot',
      )
    })
  }

  /**
   * Makes it what it was, whatever it is doing, which is lost. What was kept with memory runs on, or is paused if it was that;
   * what was not is off. With `VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING` or `VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED` either is that then.
   * What loses something else takes `VIR_DOMAIN_SNAPSHOT_REVERT_FORCE` (virDomainRevertToSnapshot).
   */
  async revertToSnapshot(snapshot: DomainSnapshot, flags = 0): Promise<void> {
    const name = 'virDomainRevertToSnapshot'
    await this.host.change(name, VIR_ERR_NO_DOMAIN_SNAPSHOT, async () => {
      checkFlags(name, flags, REVERT)
      checkExclusive(name, flags, RUN_OR_PAUSE)
      if (DomainSnapshot.domainOf(snapshot) !== this.id) {
        throw this.host.error(VIR_ERR_INVALID_DOMAIN_SNAPSHOT, `${snapshot.getName()} is of another domain`)
      }
      const snapshots = this.host.group(name, 'snapshots')
      const id = await DomainSnapshot.idOf(snapshot, name)
      const kept = (await snapshotsOf(this.host, name, this.id)).find(each => each.id === id)
      if (!has(flags, VIR_DOMAIN_SNAPSHOT_REVERT_FORCE)) await this.#assertHarmless(kept, flags)
      await this.host.past.deeds.whileDoing(this.id, 'reverted', async () => {
        await snapshots.revert(this.id, id)
        await this.#goOn(name, flags, kept?.wasPaused === true)
      })
    })
  }

  /**
   * Demands that nothing is lost without force. Source: libvirt, qemuSnapshotRevertValidate, as its test driver has it too;
   * its driver of Hyper-V knows no snapshots.
   */
  async #assertHarmless(kept: NamedSnapshot | undefined, flags: number): Promise<void> {
    if (!this.host.profile.keepsSnapshots || kept?.state !== 'halted') return
    const { state } = await this.now()
    const isStarted = has(flags, VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED)
    if (isActiveState(state) && isStarted) {
      const what = this.host.profile.type === 'QEMU' ? 'qemu' : 'guest'
      throw this.host.error(VIR_ERR_SNAPSHOT_REVERT_RISKY, `must respawn ${what} to start inactive snapshot`)
    }
    if (state === 'suspended') {
      const text =
        'snapshot without memory state, removal of existing managed saved state strongly recommended to avoid corruption'
      throw this.host.error(VIR_ERR_SNAPSHOT_REVERT_RISKY, text)
    }
  }

  /** What it is to do after it went back. */
  async #goOn(name: FunctionName, flags: number, wasPaused: boolean): Promise<void> {
    const { state } = await this.now()
    const isToRun = has(flags, VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING)
    const paused = has(flags, VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED) || (state === 'suspended' && wasPaused && !isToRun)
    if (state === 'suspended') await this.host.group(name, 'suspension').resume(this.id, { paused })
    else if (paused || isToRun) {
      await startDomain(this.host, this.id, { paused })
    } else return
    this.host.seen(this.id, { state: paused ? 'paused' : 'running' })
  }

  /** Memory is kept where there is some, and not where there is none. */
  #assertMemory({ keepsMemory }: SnapshotDescription, isActive: boolean): void {
    if (keepsMemory === undefined || keepsMemory === isActive) return
    const text = isActive ? 'without the memory of a domain that is active' : 'with memory of a domain that has none'
    throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, `hosts here make no snapshot ${text}`)
  }

  async #list(name: FunctionName, flags: number): Promise<readonly NamedSnapshot[]> {
    return this.read(name, async () => {
      const all = await snapshotsOf(this.host, name, this.id)
      const { keepsSnapshots } = this.host.profile
      return selected(name, all, { flags, keepsSnapshots }, ({ parent }, isGiven) => !isGiven || parent === null)
    })
  }

  #found(snapshot: NamedSnapshot | undefined, missing: string): DomainSnapshot {
    if (snapshot === undefined) throw this.host.error(VIR_ERR_NO_DOMAIN_SNAPSHOT, missing)
    return new DomainSnapshot(this.host, this.id, snapshot)
  }
}
