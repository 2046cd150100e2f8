import { inspect } from 'node:util'
import { classes } from '../model/index.ts'
import type { OpenValue, Ref } from '../model/kernel/types.ts'
import type { Operation } from '../model/kernel/operations.ts'
import { ApiError } from '../model/kernel/error.ts'
import { decodeResponse } from '../wire/xmlrpc/decode.ts'
import { encodeCall } from '../wire/xmlrpc/encode.ts'
import { type WireValue, XmlRpcError } from '../wire/xmlrpc/value.ts'
import { valueOf } from './answer.ts'
import type { Console } from './console-socket.ts'
import { decodeResult, UnexpectedAnswer } from './decode.ts'
import { encodeArguments, type NamedArguments } from './encode.ts'
import { HttpTransport, type SendOptions, type TlsOptions, type TransportLimits } from './http-transport.ts'
import type { AsyncMembers, Classes, CallOptions, ClassMembers, ClientOf, TaskRef, VisibleRecordOf } from './methods.ts'
import { type Asked, findOperation, methodOf, operations } from './operations.ts'
import { recordFromXml } from './record.ts'
import { StartedTasks } from './started-tasks.ts'
import { TransportError } from './transport-error.ts'
import { poll, type WaitOptions } from './wait.ts'

/** Which server, and how to reach it. */
export interface ClientOptions {
  /** `http://127.0.0.1:4464`, `https://HOST:4443`, or `unix:///PATH/xenapi.sock`. */
  readonly url: string
  readonly tls?: TlsOptions
  /** Those of DEFAULT_TRANSPORT_LIMITS that are to be others. */
  readonly limits?: Partial<TransportLimits>
}

/**
 * A client of the Xen Management API, revision 0.2. Its methods are those of the declaration, with arguments by name:
 * `await client.VM.start({ vm, start_paused: false })`. Integers are bigints, sets arrays, maps Maps, moments Dates.
 *
 * Every call rejects with ApiError where the server refused it, with TransportError where there is no answer, with
 * TypeError where an argument has the wrong type, and with the reason of its signal.
 */
export class XenApiClient implements ClassMembers {
  declare readonly session: ClientOf<Classes['session']>
  declare readonly task: ClientOf<Classes['task']>
  declare readonly VM: ClientOf<Classes['VM']>
  declare readonly host: ClientOf<Classes['host']>
  declare readonly host_cpu: ClientOf<Classes['host_cpu']>
  declare readonly network: ClientOf<Classes['network']>
  declare readonly VIF: ClientOf<Classes['VIF']>
  declare readonly SR: ClientOf<Classes['SR']>
  declare readonly VDI: ClientOf<Classes['VDI']>
  declare readonly VBD: ClientOf<Classes['VBD']>
  declare readonly user: ClientOf<Classes['user']>
  /** The same methods as tasks: `client.Async.VM.start(…)` answers a reference for `waitForTask`. */
  declare readonly Async: AsyncMembers
  readonly #transport: HttpTransport
  readonly #started = new StartedTasks()
  #session = ''

  /** Connects with the first call. Throws TypeError where the URL is none. */
  constructor({ url, tls = {}, limits = {} }: ClientOptions) {
    this.#transport = new HttpTransport(url, tls, limits)
    const perform: Perform = (asked, args, options) => this.#perform(asked, args, options)
    Object.assign(this, membersOf(perform, false), { Async: membersOf(perform, true) })
  }

  get url(): string {
    return this.#transport.url
  }

  /** Whether there is a session. The server may have ended it all the same. */
  get isLoggedIn(): boolean {
    return this.#session !== ''
  }

  /** Logs in and keeps the session for the calls that follow. Answers it too: it is a secret, as good as the password. */
  async login(user: string, password: string, options: CallOptions = {}): Promise<Ref<'session'>> {
    const session = await this.session.login_with_password({ uname: user, pwd: password }, options)
    this.#session = session
    return session
  }

  /** Goes on with a session that an earlier `login` answered. */
  resume(session: string): void {
    this.#session = session
  }

  /** Ends the session, at the server too. Without one, or with one that the server has ended, it does nothing. */
  async logout(options: CallOptions = {}): Promise<void> {
    if (!this.isLoggedIn) return
    try {
      await this.session.logout({}, options)
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'SESSION_INVALID')) throw error
    } finally {
      this.#session = ''
    }
  }

  /** Closes the connections; the session stays good. Calling it twice is harmless. */
  close(): void {
    this.#transport.close()
  }

  /** Opens a console, by its path as `VM.list_consoles` answers it. Rejects with TransportError. */
  openConsole(path: string): Promise<Console> {
    return this.#transport.openConsole(path, this.#session)
  }

  /**
   * Calls a method by its canonical name, such as `VM.get_name_label` or `Async.VM.start`, for programs that know it
   * at run time only. Arguments and result are as those of the typed method.
   */
  async invoke(method: string, args: NamedArguments = {}, options: CallOptions = {}): Promise<unknown> {
    const asked = findOperation(method)
    if (asked === undefined) throw new TypeError(`there is no method ${method}`)
    return await this.#perform(asked, args, options)
  }

  /**
   * Calls any method in any spelling with values as the wire has them: integers as decimal text, references as text.
   * The session goes first by itself, where there is one and the method is not the one that makes it.
   */
  async call(method: string, params: readonly WireValue[] = [], options: CallOptions = {}): Promise<WireValue> {
    const operation = findOperation(method)?.operation
    const needsNone = operation?.withoutSession ?? !this.isLoggedIn
    return await this.#send(method, needsNone ? params : [this.#session, ...params], { ...options, repeatable: false })
  }

  /** All fields of an object in one call. */
  record<Name extends keyof Classes>(
    of: Name,
    self: Ref<Name>,
    options?: CallOptions,
  ): Promise<VisibleRecordOf<Classes[Name]>>
  async record(of: keyof Classes, self: string, options: CallOptions = {}): Promise<unknown> {
    const document = await this.invoke(`${of}.to_XML`, { self }, options)
    return this.#understand(`${of}.to_XML`, () => recordFromXml(classes[of], String(document)))
  }

  /**
   * Waits until a task has ended and answers its result, or rejects with the ApiError it failed with. The result of a
   * task that this client did not start is as the wire has it.
   */
  waitForTask<R = OpenValue>(task: TaskRef<R>, options?: WaitOptions): Promise<R>
  async waitForTask(task: string, options: WaitOptions = {}): Promise<unknown> {
    const { signal, onProgress } = options
    const answer = await poll(this.url, options, async () => {
      const status = await this.task.GetStatus({ task }, signal === undefined ? {} : { signal })
      onProgress?.({ percent: Number(status.Progress), eta: status.ETA })
      return status.Progress < 100n ? undefined : status.Result
    })
    return this.#understand(`task ${task}`, () => {
      const value = valueOf(answer, this.#session)
      const operation = this.#started.find(task)
      return operation === undefined ? value : decodeResult(operation.result, value)
    })
  }

  /** What is shown of a client: never its session. */
  [inspect.custom](): string {
    return `XenApiClient { url: ${inspect(this.url)}, isLoggedIn: ${this.isLoggedIn} }`
  }

  async #perform(asked: Asked, args: NamedArguments, options: CallOptions): Promise<unknown> {
    const { operation, async } = asked
    const method = methodOf(asked)
    const params = encodeArguments(operation, args)
    const all = operation.withoutSession ? params : [this.#session, ...params]
    const wire = await this.#send(method, all, { ...options, repeatable: !async && readsOnly(operation) })
    if (!async) return this.#understand(method, () => decodeResult(operation.result, wire))
    return this.#understand(method, () => this.#started.begin(textOf(wire), operation))
  }

  async #send(method: string, params: readonly WireValue[], options: SendOptions): Promise<WireValue> {
    const bytes = await this.#transport.send(encodeCall(method, params, 'draft'), options)
    return this.#understand(method, () => {
      const response = decodeResponse(bytes, { maxBytes: bytes.length })
      if (response.kind === 'value') return valueOf(response.value, this.#session)
      throw new UnexpectedAnswer(`the server did not understand the call: ${response.message}`)
    })
  }

  /** Reads an answer; one that cannot be read is a TransportError. */
  #understand<T>(what: string, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer || error instanceof XmlRpcError)) throw error
      throw new TransportError('answer', this.url, `${what} at ${this.url}: ${error.message}`, { cause: error })
    }
  }
}

/** A task's reference. */
function textOf(wire: WireValue): string {
  if (typeof wire === 'string') return wire
  throw new UnexpectedAnswer('the answer is no reference of a task')
}

type Perform = (asked: Asked, args: NamedArguments, options: CallOptions) => Promise<unknown>
type Member = (args?: NamedArguments, options?: CallOptions) => Promise<unknown>

/** The methods of each class by name, made from the same list as the server's dispatch. */
function membersOf(perform: Perform, async: boolean): Readonly<Record<string, Readonly<Record<string, Member>>>> {
  const members: Record<string, Record<string, Member>> = {}
  for (const operation of operations.values()) {
    if (async && !operation.hasAsync) continue
    const { name } = operation.class
    const methods = (members[name] ??= {})
    methods[operation.name.slice(name.length + 1)] = (args = {}, options = {}) =>
      perform({ operation, async }, args, options)
  }
  return members
}

const READING: ReadonlySet<Operation['kind']> = new Set<Operation['kind']>([
  'get',
  'get_all',
  'get_by_uuid',
  'get_by_short_name',
  'get_by_name_label',
  'to_XML',
])

const readsOnly = ({ kind }: Operation): boolean => READING.has(kind)
