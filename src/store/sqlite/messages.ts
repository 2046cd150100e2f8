import type { Lease } from '../log.ts'

/** What the log asks of its worker. */
export type Request =
  | { readonly kind: 'open'; readonly path: string; readonly generation: number }
  | {
      readonly kind: 'append'
      readonly after: number
      readonly first: number
      readonly last: number
      readonly payload: string
    }
  | {
      readonly kind: 'acquire'
      readonly name: string
      readonly owner: string
      readonly now: number
      readonly ttlMs: number
    }
  | { readonly kind: 'renew'; readonly lease: Lease; readonly now: number; readonly ttlMs: number }
  | { readonly kind: 'release'; readonly lease: Lease }
  | { readonly kind: 'close' }

/** A request as it travels; answers carry its number. */
export interface Numbered {
  readonly id: number
  readonly request: Request
}

/** What the worker says: the answer to one request, or something an operator should know. */
export type Answer =
  | { readonly kind: 'done'; readonly id: number; readonly value: LeaseAnswer }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly forGood: boolean }
  | { readonly kind: 'warning'; readonly message: string }

/** `acquire` answers the fence, or undefined while another holds the lease; `renew` whether it is still held; others nothing. */
export type LeaseAnswer = number | boolean | undefined
