import type { DomainConfig, Scheduling } from '../driver.ts'
import type { Quantities } from './back-end.ts'

const MIB = 1_048_576
/** Memory comes in steps of this. Source: as real hosts behave; libvirt's driver rounds so too. */
const STEP_MB = 2

/** The weight of everybody here, and on a host. Source: Microsoft Learn, "Msvm_ProcessorSettingData", Weight. */
const EVEN_WEIGHT = 256
const EVEN_WEIGHT_OF_HOST = 100
/** The largest of a host. */
export const WEIGHT_MAX_OF_HOST = 10_000
/** All of a processor, in thousandths of a percent. Source: the same page, Limit. */
export const LIMIT_MAX = 100_000

/** What a machine must get of the host to be as its definition says. */
export function quantitiesOf(config: DomainConfig): Quantities {
  const { memoryBytes, memoryTargetBytes = memoryBytes, vcpus, scheduling } = config
  return { memoryMb: megabytesOf(memoryTargetBytes), vcpus, ...sharesOf(scheduling) }
}

/** Bytes in the unit of a host, rounded up to what it can give. */
export function megabytesOf(bytes: number): number {
  return Math.ceil(bytes / MIB / STEP_MB) * STEP_MB
}

export const bytesOf = (megabytes: number): number => megabytes * MIB

/** What a host is to be told of scheduling; what is not said is everybody's share, without a limit. */
export function sharesOf(scheduling: Scheduling | undefined): Pick<Quantities, 'weight' | 'limit'> {
  const { weight = EVEN_WEIGHT, capPercent = null } = scheduling ?? {}
  const limit = capPercent === null ? LIMIT_MAX : Math.min(Math.round(capPercent * 1_000), LIMIT_MAX)
  return { weight: Math.max(1, Math.round((weight * EVEN_WEIGHT_OF_HOST) / EVEN_WEIGHT)), limit }
}

/** What scheduling a host's shares amount to; undefined where they are everybody's. */
export function schedulingOf({ weight, limit }: Pick<Quantities, 'weight' | 'limit'>): Scheduling | undefined {
  if (weight === EVEN_WEIGHT_OF_HOST && limit === LIMIT_MAX) return undefined
  return {
    weight: Math.max(1, Math.round((weight * EVEN_WEIGHT) / EVEN_WEIGHT_OF_HOST)),
    capPercent: limit === LIMIT_MAX ? null : limit / 1_000,
    affinity: null,
  }
}
