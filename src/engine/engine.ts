/**
 * Dispatch: one map from method name to operation, made from the declaration, and the one path that every call takes
 * through it: name → session → arguments → lock → power state → work → answer.
 */

import { randomUUID } from 'node:crypto'
import { commonErrors, fail } from '../model/errors.ts'
import { classes, VM } from '../model/index.ts'
import type { Class } from '../model/kernel/define.ts'
import type { ApiError } from '../model/kernel/error.ts'
import { type Operation, operationsOf } from '../model/kernel/operations.ts'
import { spellings } from '../model/kernel/spelling.ts'
import { NULL_REF, type Type, t } from '../model/kernel/types.ts'
import type { WireValue } from '../wire/xmlrpc/value.ts'
import { type Run, runGenerated, type Turn, turnOf } from './accessors.ts'
import { type Arguments, decodeArguments } from './arguments.ts'
import type { Caller } from './caller.ts'
import type { Context, Implementation, Services } from './context.ts'
import type { Dialect } from './dialect.ts'
import { checkPowerState, type ObjectName, toApiError } from './guard.ts'
import type { Log } from './log.ts'
import { encodeValue } from './marshal.ts'
import type { TaskControl } from './tasks.ts'
import { printable } from './text.ts'

/** A call as it comes off the wire. */
export interface Call {
  readonly method: string
  readonly params: readonly WireValue[]
  readonly dialect: Dialect
  /** An IP address, or LOCAL_ADDRESS. */
  readonly address: string
  /** Aborted when the caller went away. */
  readonly signal: AbortSignal
}

/** The answer to a call: the value in the dialect's wire form, or the error's code and parameters. */
export type Answer =
  | { readonly ok: true; readonly value: WireValue }
  | { readonly ok: false; readonly error: readonly string[] }

/** An operation and what it does. */
interface Entry {
  readonly operation: Operation
  readonly run: Run
  readonly turn: Turn
}

/** What the engine is made of. */
export interface EngineOptions {
  readonly services: Services
  readonly implementations: readonly Implementation[]
  readonly log: Log
}

const NOBODY: Omit<Caller, 'address'> = { user: NULL_REF, session: '', administrator: false }

/** Runs any declared message. */
export class Engine {
  readonly #services: Services
  readonly #log: Log
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #find: ReturnType<typeof spellings>

  constructor({ services, implementations, log }: EngineOptions) {
    this.#services = services
    this.#log = log
    this.#entries = entriesOf(implementations)
    this.#find = spellings(this.#entries.keys(), Object.keys(classes))
  }

  /** The canonical names of all methods, `Async.` twins included. */
  get methods(): readonly string[] {
    const operations = [...this.#entries.values()].map(entry => entry.operation)
    const twins = operations.filter(operation => operation.hasAsync).map(operation => `Async.${operation.name}`)
    return [...operations.map(operation => operation.name), ...twins]
  }

  /**
   * Runs a call to its end, or for `Async.` to the start of its task. Never rejects. What needs no waiting, such as
   * reading a field, is answered at once: promises would cost more than the work.
   */
  call(call: Call): Answer | Promise<Answer> {
    const found = this.#find(call.method)
    const entry = found === undefined ? undefined : this.#entries.get(found.method)
    if (found === undefined || entry === undefined) return unknownMethod(call.method)
    const { operation } = entry
    const isTask = found.async && operation.hasAsync
    const type = isTask ? TASK_REF : operation.result
    const objects: ObjectName[] = []
    const failed = (error: unknown): Answer => ({
      ok: false,
      error: this.#apiError(error, operation, objects).description.map(printable),
    })
    try {
      const caller = this.#authenticate(operation, call)
      const args = this.#decode(operation, call, objects)
      const result = isTask
        ? this.#startTask(entry, caller, args, objects)
        : this.#run(entry, caller, args, objects, new Waiting(call))
      if (!(result instanceof Promise)) return success(type, result, call.dialect)
      return result.then(value => success(type, value, call.dialect)).catch(failed)
    } catch (error) {
      return failed(error)
    }
  }

  /** The client's error of whatever was thrown. What the error table does not foresee is a bug: logged, with an id. */
  #apiError(error: unknown, operation: Operation, objects: readonly ObjectName[]): ApiError {
    const known = toApiError(error, { operation, objects, store: this.#services.store })
    if (known !== undefined) {
      if (!isDeclared(known, operation)) this.#log.error({ method: operation.name, code: known.code }, UNDECLARED)
      if (known.cause !== undefined) this.#log.warn({ method: operation.name, error: known.message }, 'call failed')
      return known
    }
    const id = randomUUID()
    this.#log.error({ id, method: operation.name, error: describe(error) }, 'internal error')
    return fail('INTERNAL_ERROR', { id })
  }

  #authenticate(operation: Operation, { method, params, address }: Call): Caller {
    if (operation.withoutSession) return { ...NOBODY, address }
    const [secret] = params
    if (secret === undefined) {
      const expected = String(operation.params.length + 1)
      throw fail('MESSAGE_PARAMETER_COUNT_MISMATCH', { method: operation.name, expected, received: '0' })
    }
    if (typeof secret !== 'string') throw fail('FIELD_TYPE_ERROR', { field: 'session_id' })
    const caller = this.#services.sessions.authenticate(secret.trim(), address)
    if (operation.adminOnly && !caller.administrator) throw fail('PERMISSION_DENIED', { message: method })
    return caller
  }

  #decode(operation: Operation, { params, dialect }: Call, objects: ObjectName[]): Arguments {
    const { store } = this.#services
    const exists = (className: string, ref: string) => {
      const isThere = store.get(classNamed(className), ref) !== undefined
      if (isThere) objects.push({ class: className, ref })
      return isThere
    }
    return decodeArguments(operation, operation.withoutSession ? params : params.slice(1), { dialect, exists })
  }

  #startTask(entry: Entry, caller: Caller, args: Arguments, objects: readonly ObjectName[]): Promise<string> {
    const work = async (control: TaskControl) => {
      try {
        return await this.#run(entry, caller, args, objects, control)
      } catch (error) {
        throw this.#apiError(error, entry.operation, objects)
      }
    }
    return this.#services.tasks.start(caller.user, entry.operation, work)
  }

  #run(
    { operation, run, turn }: Entry,
    caller: Caller,
    args: Arguments,
    objects: readonly ObjectName[],
    task: TaskControl,
  ): unknown {
    const context: Context = { ...this.#services, caller, task }
    const self = objects[0]?.ref
    if (turn === 'none' || self === undefined) return run(context, args)
    // Nothing is allowed on a VM that is shutting down, so its callers are told so at once instead of after the wait.
    this.#refuseWhileShuttingDown(operation, self)
    const key = turn === 'field' ? `${self}.${operation.field}` : self
    return this.#services.locks.hold(key, async () => {
      await this.#readIfUnknown(operation, self)
      checkPowerState(this.#services.store, operation, self)
      return run(context, args)
    })
  }

  /** A VM whose last reading failed is read once more, for its state decides what is allowed. */
  async #readIfUnknown({ class: of }: Operation, self: string): Promise<void> {
    const { store, hosts } = this.#services
    const record = of === VM ? store.get(VM, self) : undefined
    if (record?.power_state !== 'Unknown') return
    if (record.affinity !== NULL_REF) hosts.driver(record.affinity) // Throws HOST_OFFLINE, which says more than a state.
    await hosts.observe(self)
  }

  #refuseWhileShuttingDown(operation: Operation, self: string): void {
    if (operation.class !== VM || !this.#services.hosts.isShuttingDown(self)) return
    checkPowerState(this.#services.store, { ...operation, allowedIn: operation.allowedIn ?? ['Halted'] }, self)
  }
}

function entriesOf(implementations: readonly Implementation[]): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const of of Object.values(classes)) {
    const implementation = implementations.find(candidate => candidate.class === of)
    const { handlers = {}, hooks = {} } = implementation ?? {}
    for (const operation of operationsOf(of)) {
      const handler = operation.message === undefined ? undefined : handlers[operation.message]
      if (operation.message !== undefined && handler === undefined)
        throw new TypeError(`${operation.name} has no handler`)
      const run = handler ?? runGenerated(operation, hooks)
      const turnOfMessage = operation.immediate ? 'none' : 'object'
      const turn = operation.kind === 'message' ? turnOfMessage : turnOf(operation, hooks)
      entries.set(operation.name, { operation, run, turn })
    }
  }
  return entries
}

const classesByName: ReadonlyMap<string, Class> = new Map(Object.values(classes).map(of => [of.name, of]))

function classNamed(name: string): Class {
  const of = classesByName.get(name)
  if (of === undefined) throw new TypeError(`no class ${name}`)
  return of
}

const TASK_REF = t.ref('task')

const success = (type: Type, value: unknown, dialect: Dialect): Answer => ({
  ok: true,
  value: encodeValue(type, value, dialect),
})

/** The control of a call that its caller waits for: nobody asks how far it is. */
class Waiting implements TaskControl {
  readonly ref = ''
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }

  progress(): void {}
}

const METHOD_SHOWN_MAX = 200

const unknownMethod = (method: string): Answer => ({
  ok: false,
  error: fail('MESSAGE_METHOD_UNKNOWN', { method: printable(method.slice(0, METHOD_SHOWN_MAX)) }).description,
})

/** Clients are promised which errors a message answers; that one slipped through is ours to mend. */
const UNDECLARED = 'an error that is not declared'
/** What any call may answer that makes a task, or is one. */
const TASK_ERRORS: readonly string[] = ['TOO_MANY_PENDING_TASKS', 'TASK_CANCELLED']

function isDeclared({ code }: ApiError, { errors, hasAsync }: Operation): boolean {
  const all: readonly string[] = [...commonErrors, ...errors, ...(hasAsync ? TASK_ERRORS : [])]
  return all.includes(code)
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
