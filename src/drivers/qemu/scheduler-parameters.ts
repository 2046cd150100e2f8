import { DriverError, type Scheduling, type SchedulerParameter } from '../driver.ts'

/** In microseconds: what Linux divides time into unless told otherwise. Source: libvirt, formatdomain, "CPU Tuning". */
const PERIOD_USUAL = 100_000n
const PERIOD_MIN = 1_000n
const PERIOD_MAX = 1_000_000n
const QUOTA_MIN = 1_000n
/** Source: libvirt, src/qemu/qemu_driver.c, QEMU_SCHED_MAX_QUOTA; what virsh shows of a domain without a limit. */
const QUOTA_MAX = 17_592_186_044_415n
/** Without a limit. */
const NO_QUOTA = -1n
const SHARES_MIN = 1n
const SHARES_MAX = 65_535n

/**
 * What virtual CPUs get, as libvirt's driver of QEMU tells it: `cpu_shares` are the weight, `vcpu_quota` by `vcpu_period` the
 * cap. Source: libvirt, include/libvirt/libvirt-domain.h, VIR_DOMAIN_SCHEDULER_.
 */
export function schedulerParameters({ weight, capPercent }: Scheduling): readonly SchedulerParameter[] {
  return [
    { name: 'cpu_shares', type: 'ullong', value: BigInt(weight) },
    { name: 'vcpu_period', type: 'ullong', value: PERIOD_USUAL },
    { name: 'vcpu_quota', type: 'llong', value: quotaOf(capPercent) },
  ]
}

const quotaOf = (capPercent: number | null): bigint =>
  capPercent === null ? NO_QUOTA : BigInt(Math.round((capPercent * Number(PERIOD_USUAL)) / 100))

/** The same with other values. Throws DriverError, as `refused`, for one that there is not or that cannot be. */
export function withParameters(now: Scheduling, values: ReadonlyMap<string, bigint>): Scheduling {
  const known = new Set(schedulerParameters(now).map(({ name }) => name))
  const unknown = [...values.keys()].find(name => !known.has(name))
  if (unknown !== undefined) throw refused(`the scheduler of this host has no parameter ${unknown}`)
  const shares = within('cpu_shares', values.get('cpu_shares') ?? BigInt(now.weight), SHARES_MIN, SHARES_MAX)
  return { ...now, weight: Number(shares), capPercent: capOf(now, values) }
}

function capOf({ capPercent }: Scheduling, values: ReadonlyMap<string, bigint>): number | null {
  const period = within('vcpu_period', values.get('vcpu_period') ?? PERIOD_USUAL, PERIOD_MIN, PERIOD_MAX)
  const quota = values.get('vcpu_quota') ?? quotaOf(capPercent)
  if (quota < 0n || quota === QUOTA_MAX) {
    if (period !== PERIOD_USUAL) throw refused('a vcpu_period without a vcpu_quota is not kept')
    return null
  }
  within('vcpu_quota', quota, QUOTA_MIN, QUOTA_MAX)
  if (values.has('vcpu_period') || values.has('vcpu_quota')) return (Number(quota) * 100) / Number(period)
  return capPercent
}

function within(name: string, value: bigint, min: bigint, max: bigint): bigint {
  if (value >= min && value <= max) return value
  throw refused(`${name} is from ${min} to ${max}, not ${value}`)
}

const refused = (text: string) => new DriverError('refused', text)
