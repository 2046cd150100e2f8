/**
 * A value as XML-RPC carries it. An integer of any spelling (`int`, `i4`, `i8`) is a bigint of 64 bits, a number is a
 * `double`, a Date counts in whole seconds on the wire, a Uint8Array is `base64`, null is `nil`. The members of a
 * struct are own properties, whatever their names: look them up with Object.hasOwn where a name comes from outside.
 * Source: XML-RPC Specification (1999); `nil` and `i8` as most peers have added them.
 */
export type WireValue =
  | string
  | bigint
  | number
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly WireValue[]
  | { readonly [member: string]: WireValue }

/** Whether a value is an array. */
export function isArray(value: WireValue): value is readonly WireValue[] {
  return Array.isArray(value)
}

/** Whether a value is a struct: an object that is none of the other kinds. */
export function isStruct(value: WireValue): value is { readonly [member: string]: WireValue } {
  if (typeof value !== 'object' || value === null) return false
  return !(isArray(value) || value instanceof Date || value instanceof Uint8Array)
}

/** A call: the method's name as the client spelled it, without white space at its ends. */
export interface XmlRpcCall {
  readonly method: string
  readonly params: readonly WireValue[]
}

/** An answer: a value, or a fault, which says that the call itself could not be understood or made. */
export type XmlRpcResponse =
  | { readonly kind: 'value'; readonly value: WireValue }
  | { readonly kind: 'fault'; readonly code: number; readonly message: string }

/** The least and the greatest integer of 64 bits. */
export const INT_RANGE = { min: -(2n ** 63n), max: 2n ** 63n - 1n } as const

/** How much of a document is decoded before it is refused. */
export interface XmlRpcLimits {
  readonly maxBytes: number
  /** Arrays and structs open at once. No more than 512 are allowed whatever is given here. */
  readonly maxDepth: number
  /** Values of every kind in the whole document, arrays and structs included. */
  readonly maxValues: number
}

/** What a document may measure unless its reader says otherwise: room for the records of some 8,000 VMs. */
export const DEFAULT_XMLRPC_LIMITS: XmlRpcLimits = {
  maxBytes: 64 * 1024 * 1024,
  maxDepth: 64,
  maxValues: 2_000_000,
}

/** Arrays and structs that are nested deeper are neither written nor, whatever the limits say, read. */
export const NESTING_MAX = 512

/**
 * The fault codes this codec decides on: not well-formed XML; XML that is no XML-RPC, or too large; a value that
 * cannot be written. Source: Specification for Fault Code Interoperability (xmlrpc-epi).
 */
export const FAULT = { parseError: -32700, invalidRequest: -32600, internalError: -32603 } as const

/** A document that cannot be decoded, or a value that cannot be encoded. Nothing of either is repeated in it. */
export class XmlRpcError extends Error {
  override readonly name = 'XmlRpcError'
  /** What to answer with, if the document was a call: one of FAULT. */
  readonly code: number
  /** Where in the bytes of the document, or about there; absent for a value that cannot be encoded. */
  readonly offset: number | undefined

  constructor(code: number, reason: string, offset?: number, options?: ErrorOptions) {
    super(offset === undefined ? reason : `${reason} at byte ${offset}`, options)
    this.code = code
    this.offset = offset
  }
}

/** Sets a member as an own property, `__proto__` too. Of two members with one name the last one stays. */
export function setMember(struct: Record<string, WireValue>, name: string, value: WireValue): void {
  if (name === '__proto__') {
    Object.defineProperty(struct, name, { value, writable: true, enumerable: true, configurable: true })
  } else struct[name] = value
}
