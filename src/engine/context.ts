import type { ArgsOf, Class, RecordOf, ResultOf } from '../model/kernel/define.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import type { Hosts } from './hosts.ts'
import type { Locks } from './locks.ts'
import type { Paths } from './paths.ts'
import type { Sessions } from './sessions.ts'
import type { TaskControl, Tasks } from './tasks.ts'

export { StoreFailure, type Store, type Transaction } from '../store/store.ts'

/** The parts of the engine that handlers work with. */
export interface Services {
  readonly store: Store
  readonly hosts: Hosts
  readonly sessions: Sessions
  readonly tasks: Tasks
  readonly paths: Paths
  /** By reference: what holds an object's lock is alone with it. Whoever takes several takes them sorted. */
  readonly locks: Locks
}

/**
 * What a handler is given. Unless its message is immediate, the call holds the lock of the message's first object.
 * A test counts the members: what a handler needs beyond these belongs into one of them.
 */
export interface Context extends Services {
  readonly caller: Caller
  /** Progress and cancellation of the task, or of the synchronous call, that this is. */
  readonly task: TaskControl
}

/** One function per message of the class: leaving one out, or adding one, does not compile. */
export type HandlersOf<C extends Class> = {
  readonly [K in keyof C['messages']]: (
    context: Context,
    args: ArgsOf<C['messages'][K]>,
  ) => Promise<ResultOf<C['messages'][K]>> | ResultOf<C['messages'][K]>
}

/** What a class does beyond storing when its objects are made, changed or deleted. Each hook may be left out. */
export interface HooksOf<C extends Class> {
  /** Throws what is wrong with a record; called for new ones and for changed ones, before anything is stored. */
  readonly check?: (record: RecordOf<C>, context: Context) => void
  /**
   * Makes the object: stores it and does what belongs to it, taking everything back if a step fails. `chosen` has the
   * wire names of the fields that the client named; the others of the record are at their defaults.
   */
  readonly create?: (context: Context, record: RecordOf<C>, chosen: ReadonlySet<string>) => Promise<void>
  /** Deletes the object and what belongs to it. The references to it have been checked. */
  readonly delete?: (context: Context, ref: string) => Promise<void>
  /** By wire name: changes the field where storing is not all there is to it. */
  readonly set?: {
    readonly [F in keyof RecordOf<C> & string]?: (context: Context, ref: string, value: RecordOf<C>[F]) => Promise<void>
  }
  /** Fields, by wire name, whose hook takes the locks of the objects itself; the lock of the field alone is held. */
  readonly lockedApart?: readonly (keyof RecordOf<C> & string)[]
  /** Fields (`class.field`) whose references to an object of this class do not keep it from being deleted. */
  readonly ownedThrough?: readonly string[]
}

/** The messages and hooks of one class. */
export interface Implementation {
  readonly class: Class
  readonly handlers: Readonly<Record<string, (context: Context, args: Readonly<Record<string, unknown>>) => unknown>>
  readonly hooks: Hooks
}

/** The hooks of a class known only at run time; arguments were checked by their declared types. */
export interface Hooks {
  readonly check?: (record: Readonly<Record<string, unknown>>, context: Context) => void
  readonly create?: (
    context: Context,
    record: Readonly<Record<string, unknown>>,
    chosen: ReadonlySet<string>,
  ) => Promise<void>
  readonly delete?: (context: Context, ref: string) => Promise<void>
  readonly set?: Readonly<Record<string, (context: Context, ref: string, value: unknown) => Promise<void>>>
  readonly lockedApart?: readonly string[]
  readonly ownedThrough?: readonly string[]
}

/** Ties handlers and hooks to their declaration, typed by it; the one place where their types are erased. */
export function implement<C extends Class>(of: C, handlers: HandlersOf<C>, hooks: HooksOf<C> = {}): Implementation {
  return { class: of, handlers: handlers as Implementation['handlers'], hooks: hooks as unknown as Hooks }
}
