import type { BootDevice, DiskConfig, NicConfig } from '../../drivers/driver.ts'
import { VIR_ERR_CONFIG_UNSUPPORTED } from '../error-numbers.ts'
import type { Reading } from './reading.ts'

/** What devices say of the order in which firmware tries them. */
export interface BootOrder {
  readonly isSaid: boolean
  readonly first: BootDevice | undefined
}

/** A device that may claim a place. */
export interface Bootable {
  readonly kind: BootDevice
  /** Its name, by which devices of one kind are in order. */
  readonly device: string
}

/** A place in the order, and the device that claims it. */
export interface BootPlace extends Bootable {
  readonly order: number
  readonly boot: Reading
}

/** A disk or drive as what firmware boots from. */
export const bootableDisk = ({ kind = 'disk', device }: DiskConfig): Bootable => ({ kind, device })

/** An interface likewise. */
export const bootableNic = ({ device }: NicConfig): Bootable => ({ kind: 'network', device })

/** The place that a device claims with `<boot order=…>`; undefined where it claims none. */
export function readBootPlace(reading: Reading, device: Bootable): BootPlace | undefined {
  const boot = reading.child('boot')
  if (boot === undefined) return undefined
  const order = boot.attribute('order') ?? ''
  if (!/^[1-9]\d{0,4}$/.test(order)) return boot.invalid('/@order', order)
  return { order: Number(order), boot, ...device }
}

/**
 * The kind of device that comes first. Of several of one kind, a host tries that with the lowest name first; another
 * wish is refused, and two with the same number.
 */
export function bootOrderOf(places: readonly BootPlace[], devices: readonly Bootable[]): BootOrder {
  const sorted = places.toSorted((a, b) => a.order - b.order)
  for (const [index, { order, boot }] of sorted.entries()) {
    if (sorted[index - 1]?.order === order) {
      return boot.fail(VIR_ERR_CONFIG_UNSUPPORTED, `boot order '${order}' used for more than one device`)
    }
  }
  const [place] = sorted
  if (place === undefined) return { isSaid: false, first: undefined }
  const { kind, device, boot, order } = place
  const lowest = devices.filter(each => each.kind === kind).toSorted(byDevice)[0]
  if (lowest?.device !== device) {
    boot.refuse('/@order', `${order}`, `of several devices of one kind, ${lowest?.device} is tried first`)
  }
  return { isSaid: true, first: kind }
}

/** Shorter names first, so that `sdz` comes before `sdaa`. */
function byDevice(a: Bootable, b: Bootable): number {
  return a.device.length - b.device.length || (a.device < b.device ? -1 : Number(a.device > b.device))
}
