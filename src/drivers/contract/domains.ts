import type { DomainConfig, DomainId } from '../domain-config.ts'
import type { OperationOptions } from './operation.ts'

/**
 * `crashed`: the guest has panicked and is held in memory, its CPUs stopped (`ExitActions`). `unknown` is what a driver
 * says when the hypervisor reports something without a name here; never as a stand-in for "could not ask".
 */
export type DomainState = 'halted' | 'running' | 'paused' | 'crashed' | 'suspended' | 'unknown'

/**
 * Why a hypervisor says that a domain is paused. `asked`: somebody paused it, or started it so. `io-error`, `watchdog`: the
 * host could not do what the guest asked of a disk; a watchdog of the machine bit. `saving`: its memory is being written,
 * or was, and nobody let it go on. `ended`: its guest has shut down, and is held.
 */
export type PauseCause = 'asked' | 'io-error' | 'watchdog' | 'saving' | 'ended'

/** A domain at a moment. */
export interface Domain {
  readonly id: DomainId
  readonly name: string
  readonly state: DomainState
  /** Why it is paused, where it is and the hypervisor tells. */
  readonly pause?: PauseCause
}

/** A domain at a moment, with what it has and what it has used. */
export interface DomainInfo extends Domain {
  /** The most memory it can ever have. */
  readonly memoryBytes: number
  /** What it has of that now; of one that is halted, what it is to have from its start. */
  readonly memoryNowBytes: number
  readonly vcpus: number
  /** CPU time that its virtual CPUs have used together since its start, in milliseconds; 0 where it has no machine. */
  readonly cpuMs: number
}

/** A domain at a moment, and its definition. */
export interface DescribedDomain {
  readonly domain: Domain
  readonly config: DomainConfig
  /** What `DomainOps.living` would tell, where that is another thing and was found on the way. */
  readonly living?: DomainConfig
}

/** How a definition is taken. */
export interface DefineOptions {
  /**
   * Rejects as `refused`, and changes nothing, where it shows already that no start could make the domain so. Otherwise
   * such a definition is kept, and the domain is not started.
   */
  readonly isStrict?: boolean
}

/**
 * Operations on domains. Rejections common to all that take an id: `not-found` when the host has no such domain,
 * `unreachable` when the host does not answer, `refused` when it answers no.
 */
export interface DomainOps {
  /** Every domain of the host, running or not, ours or not. */
  list(): Promise<readonly Domain[]>
  get(id: DomainId): Promise<Domain>
  /** As `get`, with what it has and uses: of what is told, the cheap part. */
  info(id: DomainId): Promise<DomainInfo>
  /** The stored definition; what `define` was given, where it was given. */
  config(id: DomainId): Promise<DomainConfig>
  /**
   * What a domain that is running, paused or crashed is made of now; of another, its definition. Absent where the definition
   * of one that is active is what it is made of, or where there is no telling.
   */
  living?(id: DomainId): Promise<DomainConfig>
  /** As `get` and `config` together, at the cost of the second. Absent where that is what it costs anyway. */
  described?(id: DomainId): Promise<DescribedDomain>
  /**
   * As `config` of each, in any order, at the cost of few where a host can tell of many at once; unknown ones are left out.
   * With `isLiving`, what those are made of now that are running, paused or crashed, as `living` and `described` tell it.
   */
  configs(ids: readonly DomainId[], options?: { readonly isLiving?: boolean }): Promise<readonly DomainConfig[]>
  /**
   * Makes the domain, or replaces the definition of one that exists; durable when it resolves. A running domain
   * keeps running as it is, the new definition counts from its next start; but `exits` count at once. A suspended one
   * is resumed as it was suspended.
   */
  define(config: DomainConfig, options?: DefineOptions): Promise<void>
  /**
   * Defines a domain as `change` makes its definition, which nobody else changes through this driver meanwhile, and gives it
   * as it is then, as `described` does; where `change` gives undefined, nothing changes. It rejects with what `change` throws.
   * Absent where that costs no less than `config` and `define`.
   */
  amend?(
    id: DomainId,
    change: (config: DomainConfig, domain: Domain) => DomainConfig | undefined,
    options?: DefineOptions,
  ): Promise<DescribedDomain>
  /**
   * What a definition demands that the host has not, as a sentence; undefined where it demands nothing of the kind. Absent
   * where that shows at a start.
   */
  unmet?(config: DomainConfig): string | undefined
  /** Forgets a halted domain and what the driver kept for it, never its volumes. `bad-state` unless halted. */
  undefine(id: DomainId): Promise<void>
  /**
   * Halted → running, or paused before the first instruction. `bad-state` unless halted; `refused` where a kernel, disk
   * or network is missing, where another domain that is not halted writes to a disk that they do not share, and where
   * the host has not what the definition demands of it. A failed or aborted start leaves it halted.
   */
  start(id: DomainId, options?: OperationOptions & { readonly paused?: boolean }): Promise<void>
  /** Running → paused. `bad-state` unless running. */
  pause(id: DomainId): Promise<void>
  /** Paused → running. `bad-state` unless paused. */
  unpause(id: DomainId): Promise<void>
  /**
   * Asks the guest to shut down (ACPI power button or its like) and resolves once it is asked; whether and when the
   * guest obeys shows in its state. `bad-state` unless running.
   */
  requestShutdown(id: DomainId): Promise<void>
  /** Cuts the power: running, paused, crashed or suspended (what was saved is discarded) → halted. `bad-state` when halted. */
  powerOff(id: DomainId): Promise<void>
  /**
   * Resets the machine: running, paused or crashed → running; with `keepsPaused` one that is paused stays so. `bad-state`
   * when halted or suspended.
   */
  reset(id: DomainId, options?: { readonly keepsPaused?: boolean }): Promise<void>
  /**
   * Interrupts the guest in a way that it cannot put off, at which most panic, so that a dump of them is made (NMI).
   * `bad-state` unless running, or paused where the host takes that, whose guest gets it when it goes on. Absent where
   * there is none.
   */
  injectNmi?(id: DomainId): Promise<void>
}
