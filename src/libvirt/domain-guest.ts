import { DriverError, type GuestOps } from '../drivers/driver.ts'
import { DomainWithAddresses } from './domain-addresses.ts'
import {
  VIR_ERR_ARGUMENT_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_NO_SUPPORT,
  VIR_ERR_OPERATION_UNSUPPORTED,
  VIR_ERR_OVERFLOW,
} from './error-numbers.ts'
import { checkFlags, type FunctionName, has } from './flag-check.ts'
import { VIR_DOMAIN_TIME_SYNC } from './flags/index.ts'
import { INFO_KINDS, type NameOfDisk } from './guest-info.ts'
import type { StatsParameter } from './statistics.ts'

/** A file system that is mounted in a guest, as virDomainFSInfo has it. */
export interface FSInfo {
  readonly mountpoint: string
  readonly name: string
  readonly fstype: string
  /** The targets of the disks that it lies on, as far as that is known. */
  readonly devAlias: readonly string[]
}

/** A moment by the clock of a guest, since 1970. */
export interface Time {
  readonly seconds: bigint
  /** Beside them, below a billion. */
  readonly nseconds: number
}

const INFO_ALL = INFO_KINDS.reduce((all, { flag }) => all | flag, 0)
const NS_PER_S = 1_000_000_000n
const TIME_MAX_S = (2n ** 63n - 1n) / NS_PER_S

/** Operations that a host may have or not. */
type Optional = 'fileSystems' | 'time' | 'setTime' | 'freeze' | 'thaw' | 'trim'

/** What is asked of the guest itself: where nobody in it answers, with `VIR_ERR_AGENT_UNRESPONSIVE`. */
export class DomainWithGuest extends DomainWithAddresses {
  /**
   * What the guest tells of itself, of the kinds `VIR_DOMAIN_GUEST_INFO_`. Where none is named, what it can tell; where one is
   * named that it cannot tell, this rejects (virDomainGetGuestInfo).
   */
  async getGuestInfo(types = 0, flags = 0): Promise<readonly StatsParameter[]> {
    const name = 'virDomainGetGuestInfo'
    return this.demand(name, async () => {
      const guest = this.host.group(name, 'guest')
      checkFlags(name, flags, {})
      const unknown = (types & ~INFO_ALL) >>> 0
      if (unknown !== 0) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `unsupported guest information types '0x${unknown.toString(16)}'`)
      }
      const names = await this.#namesOfDisks()
      const told: StatsParameter[] = []
      for (const { flag, ask } of INFO_KINDS) {
        if (types !== 0 && !has(types, flag)) continue
        const tell = await this.#told(name, ask(guest, this.id), types !== 0)
        if (tell !== undefined) told.push(...tell(names))
      }
      return told
    })
  }

  /** What is mounted in the guest (virDomainGetFSInfo). */
  async getFSInfo(flags = 0): Promise<FSInfo[]> {
    const name = 'virDomainGetFSInfo'
    return this.demand(name, async () => {
      const ask = this.#way(name, 'fileSystems')
      checkFlags(name, flags, {})
      const fileSystems = await this.asked(() => ask(this.id))
      const names = await this.#namesOfDisks()
      return fileSystems.map(({ mountpoint, name: volume, type, disks }) => {
        const devAlias = disks.flatMap(({ id }) => (id === undefined ? [] : (names(id) ?? [])))
        return { mountpoint, name: volume, fstype: type, devAlias }
      })
    })
  }

  /** What the clock of the guest says (virDomainGetTime). */
  async getTime(flags = 0): Promise<Time> {
    const name = 'virDomainGetTime'
    return this.demand(name, async () => {
      const ask = this.#way(name, 'time')
      checkFlags(name, flags, {})
      const time = await this.asked(() => ask(this.id))
      return { seconds: time / NS_PER_S, nseconds: Number(time % NS_PER_S) }
    })
  }

  /** Sets the clock of the guest; with `VIR_DOMAIN_TIME_SYNC` to that of its machine, whatever the time (virDomainSetTime). */
  async setTime({ seconds, nseconds }: Time, flags = 0): Promise<void> {
    const name = 'virDomainSetTime'
    await this.demand(name, async () => {
      const ask = this.#way(name, 'setTime')
      checkFlags(name, flags, { known: VIR_DOMAIN_TIME_SYNC })
      const time = has(flags, VIR_DOMAIN_TIME_SYNC) ? 'rtc' : seconds * NS_PER_S + BigInt(nseconds)
      if (time !== 'rtc' && (seconds < 0n || seconds >= TIME_MAX_S)) {
        throw this.host.error(VIR_ERR_INVALID_ARG, `Time '${seconds}' is too big for guest agent`)
      }
      await this.asked(() => ask(this.id, time))
    })
  }

  /**
   * Lets the guest write nothing to its file systems until `fsThaw`, or to those that are mounted at these places. How many
   * those are (virDomainFSFreeze).
   */
  async fsFreeze(mountpoints: readonly string[] = [], flags = 0): Promise<number> {
    const name = 'virDomainFSFreeze'
    return this.demand(name, async () => {
      const ask = this.#way(name, 'freeze')
      checkFlags(name, flags, {})
      return this.asked(() => (mountpoints.length === 0 ? ask(this.id) : ask(this.id, mountpoints)))
    })
  }

  /** Lets it write to all of them again. How many those are (virDomainFSThaw). */
  async fsThaw(mountpoints: readonly string[] = [], flags = 0): Promise<number> {
    const name = 'virDomainFSThaw'
    return this.demand(name, async () => {
      const ask = this.#way(name, 'thaw')
      checkFlags(name, flags, {})
      if (mountpoints.length > 0) {
        throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, 'specifying mountpoints is not supported')
      }
      return this.asked(() => ask(this.id))
    })
  }

  /** Lets the guest give back what its file systems do not use, in pieces of at least so many bytes (virDomainFSTrim). */
  async fsTrim(mountpoint: string | null = null, minimum = 0, flags = 0): Promise<void> {
    const name = 'virDomainFSTrim'
    await this.demand(name, async () => {
      const ask = this.#way(name, 'trim')
      checkFlags(name, flags, {})
      if (mountpoint !== null) {
        throw this.host.error(VIR_ERR_ARGUMENT_UNSUPPORTED, 'Specifying mount point is not supported for now')
      }
      if (!Number.isSafeInteger(minimum) || minimum < 0) {
        throw this.host.error(VIR_ERR_OVERFLOW, `input too large: ${minimum}`)
      }
      await this.asked(() => ask(this.id, minimum))
    })
  }

  /** What asks the guest, where the host has a way to ask; who asks in vain is told that first, whatever the arguments. */
  #way<K extends Optional>(name: FunctionName, operation: K): NonNullable<GuestOps[K]> {
    const way = this.host.group(name, 'guest')[operation]
    if (way === undefined) throw this.host.error(VIR_ERR_NO_SUPPORT, name)
    return way
  }

  /** A kind of information; undefined where it is not to be had and nobody has named it. */
  async #told<T>(name: FunctionName, asked: Promise<T> | undefined, isNamed: boolean): Promise<T | undefined> {
    if (asked === undefined) {
      if (isNamed) throw this.host.error(VIR_ERR_OPERATION_UNSUPPORTED, `${name}: guests of this host do not tell that`)
      return undefined
    }
    try {
      return await this.asked(() => asked)
    } catch (error) {
      if (isNamed || !(error instanceof DriverError && error.guest === 'unable')) throw error
      return undefined
    }
  }

  async #namesOfDisks(): Promise<NameOfDisk> {
    const { domain, config, living } = await this.host.described(this.id)
    const { disks } = await this.living(domain, config, living)
    const names = new Map(disks.map(({ id, device }) => [id, device]))
    return id => names.get(id)
  }
}
