import type { BootDevice, DiskConfig } from '../../drivers/driver.ts'
import { VIR_ERR_CONFIG_UNSUPPORTED } from '../error-numbers.ts'
import type { Reading } from './reading.ts'

/** What devices say of the order in which firmware tries them. */
export interface BootOrder {
  readonly isSaid: boolean
  readonly first: BootDevice | undefined
}

/** A place in the order, and the device that claims it. */
export interface BootPlace {
  readonly order: number
  readonly boot: Reading
  readonly disk: DiskConfig
}

/** The place that a disk claims with `<boot order=…>`; undefined where it claims none. */
export function readBootPlace(device: Reading, disk: DiskConfig): BootPlace | undefined {
  const boot = device.child('boot')
  if (boot === undefined) return undefined
  const order = boot.attribute('order') ?? ''
  if (!/^[1-9]\d{0,4}$/.test(order)) return boot.invalid('/@order', order)
  return { order: Number(order), boot, disk }
}

/**
 * The kind of device that comes first. Of several of one kind, a host tries that with the lowest name first; another
 * wish is refused, and two with the same number.
 */
export function bootOrderOf(places: readonly BootPlace[], disks: readonly DiskConfig[]): BootOrder {
  const sorted = places.toSorted((a, b) => a.order - b.order)
  for (const [index, { order, boot }] of sorted.entries()) {
    if (sorted[index - 1]?.order === order) {
      return boot.fail(VIR_ERR_CONFIG_UNSUPPORTED, `boot order '${order}' used for more than one device`)
    }
  }
  const [place] = sorted
  if (place === undefined) return { isSaid: false, first: undefined }
  const { disk, boot, order } = place
  const first = kindOf(disk)
  const lowest = disks.filter(each => kindOf(each) === first).toSorted(byDevice)[0]
  if (lowest?.device !== disk.device) {
    boot.refuse('/@order', `${order}`, `of several devices of one kind, ${lowest?.device} is tried first`)
  }
  return { isSaid: true, first }
}

const kindOf = ({ kind = 'disk' }: DiskConfig): BootDevice => kind

/** Shorter names first, so that `sdz` comes before `sdaa`. */
function byDevice(a: DiskConfig, b: DiskConfig): number {
  return a.device.length - b.device.length || (a.device < b.device ? -1 : Number(a.device > b.device))
}
