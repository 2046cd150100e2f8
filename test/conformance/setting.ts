import type { DomainConfig, Driver, ImageFormat, OPTIONAL_GROUPS, RepositoryConfig } from '../../src/drivers/driver.ts'

export type OptionalGroup = (typeof OPTIONAL_GROUPS)[number]

/**
 * A guest to try a driver with. `obedient`: boots, prints `BOOT-OK` and then more on its serial port, obeys a request
 * to shut down, and shuts down when `p` is typed on its serial port. `broken`: its definition is accepted, its start
 * refused. `deaf`: runs and ignores the request to shut down. `crashing`, `suspending`, `rebooting`: does that by
 * itself soon after each boot, suspending itself by ACPI S4. `yielding`: boots, prints `BOOT-OK`, and lets go of
 * devices and of memory when it is asked to. `clinging`: boots, prints `BOOT-OK`, and does neither. `talking`: something in
 * it answers what its host asks. `mute`: runs, and nothing in it does.
 */
export type Guest =
  | 'obedient'
  | 'broken'
  | 'deaf'
  | 'crashing'
  | 'suspending'
  | 'rebooting'
  | 'yielding'
  | 'clinging'
  | 'talking'
  | 'mute'

/** What must be known of a driver before its tests can be registered. */
export interface Traits {
  /** The optional groups it has. A test holds this against the driver itself. */
  readonly groups: readonly OptionalGroup[]
  /** The formats of the images that its storage makes, that of most tests first; none without the group `storage`. */
  readonly formats: readonly ImageFormat[]
  /** Absent of a host that tells names of volumes as they were given; of others, in lower case. */
  readonly foldsNames?: true
  /** Absent of a host that makes the volume of a running domain larger; others refuse that as `bad-state`. */
  readonly growsInUse?: false
  /** The guests that its setting can offer; `obedient` and `broken` always. */
  readonly guests: readonly Guest[]
  /** Whether the host, its domains and their definitions are still there after `close` and a new `connect`. */
  readonly outlivesConnection: boolean
  /** The host binds no domain to CPUs of its own; the suite looks that it says so. */
  readonly bindsNoCpus?: true
  /** The host gives an image to one running domain at a time, and none to be read only; the suite looks that it says so. */
  readonly sharesNoImages?: true
  /** Interfaces stay in a domain while it runs, though their cables can be moved; the suite looks that the host says so. */
  readonly plugsNoNics?: true
  /** What is limited of a disk is how many requests there are, without bursts; the suite looks that the host says so. */
  readonly limitsRequestsAlone?: true
  /** The memory of a domain stays as it is while it runs; the suite looks that the host says so. */
  readonly changesNoMemory?: true
  /** A network has its name for good; the suite looks that the host says so. */
  readonly renamesNoNetworks?: true
  /** The host saves domains to files of a caller's choice; `Setup.place` says where there is room for some. */
  readonly savesToFiles?: true
  /** How long a guest may take to boot, to shut down, or to show in an event, on a busy machine. */
  readonly settleMs: number
  /** How long one test may take in all. */
  readonly testMs: number
}

/** A host made for one test. */
export interface Setup {
  /** Connects to the host; never called while an earlier connection is open. */
  connect(): Promise<Driver>
  /** A definition with an id and a name that the host does not have yet. */
  domainConfig(guest: Guest): DomainConfig
  /** Where volumes may be made: nothing is there yet, and the suite does not clean up behind itself. */
  readonly repository?: RepositoryConfig
  /**
   * Puts a file for a drive of this kind, of a few MiB and of this name, into the repository, which is open, and gives
   * its location; where the driver makes no images of format `raw`, which drives take.
   */
  medium?(kind: 'cdrom' | 'floppy', name: string): Promise<string>
  /** The location of a file that is not there yet; where the host saves to files. */
  place?(name: string): string
  /** What the programs of the group `power` were run for, in order; where the setting has given them. */
  powerDeeds?(): Promise<readonly string[]>
  /** Ends the host. The domains of the test are gone by then and the connection is closed. */
  tearDown(): Promise<void>
}
