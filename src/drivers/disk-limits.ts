import { DISK_RATES, type DiskConfig, type DiskLimits, type RateLimit } from './domain-config.ts'

/** The most that a limit may be. Source: QEMU, include/qemu/throttle.h, THROTTLE_VALUE_MAX. */
const RATE_MAX = 1_000_000_000_000_000
/** The longest burst, in seconds: a month, beyond what anybody means by a burst. */
const BURST_SECONDS_MAX = 2_678_400

const DIRECTIONS = [
  { all: 'bytes', each: ['readBytes', 'writeBytes'] },
  { all: 'requests', each: ['readRequests', 'writeRequests'] },
] as const

/** What is wrong about limits on any host, as a sentence; undefined where nothing is. */
export function faultOfLimits(limits: DiskLimits): string | undefined {
  for (const { all, each } of DIRECTIONS) {
    const direction = limits[all] === undefined ? undefined : each.find(rate => limits[rate] !== undefined)
    if (direction !== undefined) return `a limit of ${all} goes with none of ${direction}`
  }
  for (const rate of DISK_RATES) {
    const limit = limits[rate]
    const fault = limit && faultOfRate(limit)
    if (fault !== undefined) return `the limit of ${rate} ${fault}`
  }
  const { requestBytes = 1 } = limits
  return isRate(requestBytes) ? undefined : `requests of ${requestBytes} bytes cannot be counted`
}

function faultOfRate({ perSecond, burst, burstSeconds }: RateLimit): string | undefined {
  if (!isRate(perSecond)) return `is ${perSecond}, and may be 1 to ${RATE_MAX}`
  if (burst !== undefined && (!isRate(burst) || burst < perSecond)) return `has a burst of ${burst}, which is no more`
  if (burstSeconds === undefined) return undefined
  if (burst === undefined) return 'has how long a burst lasts, and no burst'
  const isLength = Number.isSafeInteger(burstSeconds) && burstSeconds >= 1 && burstSeconds <= BURST_SECONDS_MAX
  // Source: QEMU, util/throttle.c, throttle_is_valid: what a burst moves in all has to be within the most, too.
  return isLength && burst * burstSeconds <= RATE_MAX ? undefined : `has a burst that lasts ${burstSeconds} s`
}

const isRate = (value: number): boolean => Number.isSafeInteger(value) && value >= 1 && value <= RATE_MAX

/** The disks of a domain with these limits for one of them, and for all that are in the same group; null for none. */
export function withLimits(disks: readonly DiskConfig[], id: string, limits: DiskLimits | null): DiskConfig[] {
  return disks.map(disk => {
    const isOfGroup = limits?.group !== undefined && disk.limits?.group === limits.group
    if (disk.id !== id && !isOfGroup) return disk
    const { limits: _before, ...free } = disk
    return limits === null ? free : { ...free, limits }
  })
}
