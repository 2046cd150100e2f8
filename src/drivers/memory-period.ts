import { DriverError } from './driver.ts'

/** The longest that a balloon can be told. Source: QEMU hw/virtio/virtio-balloon.c, balloon_stats_set_poll_interval. */
const SECONDS_MAX = 2 ** 32 - 1

/** Throws DriverError as `refused` for what is no period by which a guest could tell of its memory; null is none. */
export function assertMemoryPeriod(seconds: number | null): void {
  if (seconds === null || (Number.isSafeInteger(seconds) && seconds > 0 && seconds <= SECONDS_MAX)) return
  throw new DriverError('refused', `a guest cannot tell of its memory every ${seconds} seconds`)
}
