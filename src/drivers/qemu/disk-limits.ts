import type { DiskConfig, DiskLimits, RateLimit } from '../driver.ts'
import type { Machine } from './machine.ts'
import { diskName, isEmulated } from './slots.ts'

/** Limits the drive of a disk, and all in its group, which it gets into; without limits it is in none. An empty one has nothing to limit. */
export async function limitDrive(machine: Machine, { limits = {}, ...disk }: DiskConfig): Promise<void> {
  if (disk.location === '') return
  await machine.execute('block_set_io_throttle', { id: driveOf(disk), ...throttle(limits) })
}

/** The device that has the drive: of one for virtio a part of it. Source: QEMU, hw/virtio/virtio-pci.c, virtio_instance_init_common. */
function driveOf(disk: DiskConfig): string {
  const name = diskName(disk.id)
  return isEmulated(disk) ? name : `/machine/peripheral/${name}/virtio-backend`
}

/** Source: QEMU qapi/block-core.json, BlockIOThrottle; 0 is no limit. */
function throttle(limits: DiskLimits) {
  const { bytes, readBytes, writeBytes, requests, readRequests, writeRequests, requestBytes, group } = limits
  return {
    bps: rateOf(bytes),
    bps_rd: rateOf(readBytes),
    bps_wr: rateOf(writeBytes),
    iops: rateOf(requests),
    iops_rd: rateOf(readRequests),
    iops_wr: rateOf(writeRequests),
    ...burst('bps', bytes),
    ...burst('bps_rd', readBytes),
    ...burst('bps_wr', writeBytes),
    ...burst('iops', requests),
    ...burst('iops_rd', readRequests),
    ...burst('iops_wr', writeRequests),
    ...(requestBytes !== undefined && { iops_size: requestBytes }),
    ...(group !== undefined && { group }),
  }
}

const rateOf = (limit: RateLimit | undefined): number => limit?.perSecond ?? 0

function burst(name: string, limit: RateLimit | undefined): Readonly<Record<string, number>> {
  const { burst: most, burstSeconds } = limit ?? {}
  return {
    ...(most !== undefined && { [`${name}_max`]: most }),
    ...(burstSeconds !== undefined && { [`${name}_max_length`]: burstSeconds }),
  }
}
