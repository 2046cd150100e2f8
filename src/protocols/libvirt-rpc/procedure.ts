import { type Fields, type StructOf, struct, type XdrType } from '../../wire/xdr/types.ts'

/** What is known of a procedure beside its number and what goes over the wire. */
export interface ProcedureFacts {
  /**
   * It opens a stream. `read`: the server sends, and the client may as well (a console); `write`: only the client sends.
   */
  readonly stream?: 'read' | 'write'
  /** Its answer brings one end of a pair of connected sockets, which nothing but a Unix socket carries. */
  readonly passesSocket?: true
  /** The bit of the argument `flags` that allows holes in its stream. */
  readonly sparseFlag?: number
  /** It never waits for a hypervisor. */
  readonly priority?: 'high'
  /** It is refused on a connection that may only read. */
  readonly writes?: true
  /** It is refused on a connection that may only read where an argument has any of these bits. */
  readonly writesWhere?: Readonly<Record<string, number>>
  /** It may be called before the client has said who it is. */
  readonly beforeLogin?: true
}

/** A procedure: its number, the function of libvirt's API that it serves, and what goes over the wire. */
export interface Procedure<A = unknown, R = unknown> extends ProcedureFacts {
  readonly number: number
  readonly function: string
  readonly args: XdrType<A>
  readonly result: XdrType<R>
}

/** Something that the server tells unasked. */
export interface Event<B = unknown> {
  readonly number: number
  readonly body: XdrType<B>
}

/** The values of these fields; without fields, there is nothing. */
type Carried<F extends Fields | undefined> = F extends Fields ? StructOf<F> : void

/** Declares a procedure: arguments and results in the order of the wire, none where they are left out. */
export function procedure<
  const A extends Fields | undefined = undefined,
  const R extends Fields | undefined = undefined,
>(
  number: number,
  name: string,
  facts: ProcedureFacts & { readonly args?: A; readonly result?: R },
): Procedure<Carried<A>, Carried<R>>
export function procedure(
  number: number,
  name: string,
  { args, result, ...facts }: ProcedureFacts & { readonly args?: Fields; readonly result?: Fields },
): Procedure {
  return { ...facts, number, function: name, args: carried(args), result: carried(result) }
}

/** Declares an event: its body in the order of the wire. */
export function event<const B extends Fields>(number: number, body: B): Event<StructOf<B>> {
  return { number, body: struct(body) }
}

const NOTHING: XdrType<unknown> = { bytesMin: 0, read: () => undefined, write: () => undefined }

const carried = (fields: Fields | undefined): XdrType<unknown> => (fields === undefined ? NOTHING : struct(fields))

/** Whether the arguments of a call allow holes in the stream that it opens. */
export function isSparse({ sparseFlag }: ProcedureFacts, args: unknown): boolean {
  return sparseFlag !== undefined && hasBits(args, 'flags', sparseFlag)
}

/** Whether the facts refuse such a call on a connection that may only read. */
export function isWrite({ writes, writesWhere = {} }: ProcedureFacts, args: unknown): boolean {
  return writes === true || Object.entries(writesWhere).some(([name, bits]) => hasBits(args, name, bits))
}

function hasBits(args: unknown, name: string, bits: number): boolean {
  if (typeof args !== 'object' || args === null) return false
  const value: unknown = Reflect.get(args, name)
  return typeof value === 'number' && (value & bits) !== 0
}
