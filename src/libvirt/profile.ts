import type { HostInfo } from '../drivers/driver.ts'
import { type ErrorDomain, VIR_FROM_HYPERV, VIR_FROM_NONE, VIR_FROM_QEMU, VIR_FROM_TEST } from './error-numbers.ts'
import { VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, VIR_DOMAIN_SHUTDOWN_PARAVIRT } from './flags/index.ts'
import { type Refusals, refusalsOf } from './state-refusals.ts'

/** What libvirt's drivers of a hypervisor do in their own way, and so do we. */
export interface Profile {
  /** What `getType` says. */
  readonly type: string
  /** Who errors come from. */
  readonly from: ErrorDomain
  /** The way in which `shutdown` asks a guest, which its flags may demand. */
  readonly shutdownWay: number
  /** Whether `undefine` cuts the power of a domain that is active first; else it refuses. */
  readonly undefinesActive: boolean
  /** Whether `destroy` never takes violence, so that it is always graceful. */
  readonly destroysGently: boolean
  /** Whether one that is paused is paused again without a word. */
  readonly pausesAgain: boolean
  /** How what does not fit the state of a domain is refused. */
  readonly refusals: Refusals
  /** Whether what is known of snapshots is kept here and not by the hypervisor, so that it goes with a domain's definition. */
  readonly keepsSnapshots: boolean
  /** Whether domains can be bound to CPUs of the host, so that it takes a look where they may run. */
  readonly bindsCpus: boolean
  /** The number that libvirt makes of the version of the hypervisor. */
  readonly version: (info: HostInfo) => number
}

/** As libvirt makes a number of `major.minor.release`. Source: libvirt, virConnectGetVersion. */
const usual = (text: string): number => numberOf(text, [1_000_000, 1_000, 1])

/**
 * Builds of Windows have five digits. Source: libvirt 11.3, src/hyperv/hyperv_util.c, hypervParseVersionString; the
 * document (§4.1.23) has no other way.
 */
const ofWindows = (text: string): number => numberOf(text, [100_000_000, 1_000_000, 1])

const PROFILES: Readonly<Record<string, Profile>> = {
  hyperv: {
    type: 'Hyper-V',
    from: VIR_FROM_HYPERV,
    shutdownWay: VIR_DOMAIN_SHUTDOWN_PARAVIRT,
    undefinesActive: true, // Source: the document, §4.1.3.
    destroysGently: true,
    pausesAgain: false,
    refusals: refusalsOf('hyperv'),
    keepsSnapshots: false,
    bindsCpus: false,
    version: ({ softwareVersion }) => ofWindows(softwareVersion['windows'] ?? ''),
  },
  qemu: {
    type: 'QEMU',
    from: VIR_FROM_QEMU,
    shutdownWay: VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
    undefinesActive: false,
    destroysGently: false,
    pausesAgain: true,
    refusals: refusalsOf('qemu'),
    keepsSnapshots: true,
    bindsCpus: true,
    version: ({ softwareVersion }) => usual(softwareVersion['qemu'] ?? ''),
  },
  memory: {
    type: 'TEST',
    from: VIR_FROM_TEST,
    shutdownWay: VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
    undefinesActive: false,
    destroysGently: true,
    pausesAgain: false,
    refusals: refusalsOf('memory'),
    keepsSnapshots: true,
    bindsCpus: true,
    version: ({ softwareVersion }) => usual(softwareVersion['memory'] ?? ''),
  },
}

/** The profile of a driver; one that nobody described does nothing in its own way. */
export function profileOf(driver: string): Profile {
  return PROFILES[driver] ?? { ...OTHER, type: driver }
}

const OTHER: Omit<Profile, 'type'> = {
  from: VIR_FROM_NONE,
  shutdownWay: VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
  undefinesActive: false,
  destroysGently: false,
  pausesAgain: true,
  refusals: refusalsOf(''),
  keepsSnapshots: false,
  bindsCpus: true,
  version: ({ softwareVersion }) => usual(Object.values(softwareVersion)[0] ?? ''),
}

/** What it does not say counts as 0. */
function numberOf(text: string, factors: readonly number[]): number {
  const parts = text.split('.').map(part => Number.parseInt(part, 10))
  return factors.reduce((sum, factor, index) => sum + factor * (parts[index] ?? 0), 0)
}
