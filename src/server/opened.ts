import type { Dialect } from './request.ts'

/** Where clients come; without a dialect of the Xen Management API they are libvirt's. */
export interface Address {
  readonly url: string
  readonly dialect?: Dialect
}

/** A listener at work. */
export interface Opened {
  readonly address: Address
  /** Accepts nothing more; resolves when the last connection is closed. */
  close(): Promise<void>
}
