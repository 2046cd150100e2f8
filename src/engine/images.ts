import { randomUUID } from 'node:crypto'
import type { DiskConfig } from '../drivers/driver.ts'
import { SR, VDI } from '../model/index.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import type { Transaction } from '../store/store.ts'

/** A path that begins with a drive or a server: Windows takes its letters as the same in either case. */
const WINDOWS_PATH = /^([a-z]:|\\\\)/i

/** Whether a place is one of a Windows host. */
export const isWindowsPath = (location: string): boolean => WINDOWS_PATH.test(location)

/** The same for every spelling of one place. */
export const placeKey = (location: string): string => (isWindowsPath(location) ? location.toLowerCase() : location)

/** The host that an image is on; null where that was never noted. */
export function hostOfImage(objects: Pick<Transaction, 'get'>, vdi: string): string {
  const { SR: sr = NULL_REF, host = NULL_REF } = objects.get(VDI, vdi) ?? {}
  return sr === NULL_REF ? host : (objects.get(SR, sr)?.host ?? NULL_REF)
}

/** The images of a host by where they lie, during one transaction. Other hosts may have images in places of the same name. */
export class HostImages {
  readonly #transaction: Transaction
  readonly #host: string
  #known: Map<string, string> | undefined

  constructor(transaction: Transaction, host: string) {
    this.#transaction = transaction
    this.#host = host
  }

  /** The object of a disk's image, which is adopted where nobody told of it; null of an empty drive. */
  of({ location, format, shared }: DiskConfig): string {
    if (location === '') return NULL_REF
    this.#known ??= this.#all()
    const key = placeKey(location)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    // Kept although it is in no repository, or the VM would lose it at its next start. A scan gives it its SR.
    const uuid = randomUUID()
    const place = { location, host: this.#host, image_format: format }
    const values = { ...place, uuid, name_label: location, sharable: shared === true }
    this.#transaction.insert(VDI, newRecord(VDI, values))
    this.#known.set(key, uuid)
    return uuid
  }

  #all(): Map<string, string> {
    const known = new Map<string, string>()
    for (const vdi of this.#transaction.all(VDI)) {
      const host = hostOfImage(this.#transaction, vdi)
      const { location = '' } = this.#transaction.get(VDI, vdi) ?? {}
      if (host === this.#host || host === NULL_REF) known.set(placeKey(location), vdi)
    }
    return known
  }
}
