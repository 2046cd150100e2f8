import { randomUUID } from 'node:crypto'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { type EndpointReference, readReference } from './endpoint-reference.ts'
import { collect, type Enumeration, pullMore, releaseEnumeration, startEnumeration, walk } from './enumeration.ts'
import { CimError, garbage } from './error.ts'
import { type Source, targetOf } from './filter.ts'
import type { Identity } from './identify.ts'
import { type CimInstance, readInstance } from './instance.ts'
import { ENVELOPE_BYTES, ENVELOPE_BYTES_MIN, TIMEOUT_MS } from './limits.ts'
import { ACTION, NAMESPACE } from './names.ts'
import type { EnumerationMode, Page } from './page.ts'
import { type Arguments, writeParameters } from './parameters.ts'
import { readReply, readReplyOf } from './reply.ts'
import { type CallOptions, Requests } from './requests.ts'
import { classUri, normalizeNamespace, requireName } from './resource.ts'
import type { RetryPolicy } from './retry.ts'
import { argumentsOf, type CimMethod, type InputOf, type OutputOf, resultOf, type Types } from './schema.ts'
import type { Transport } from './transport.ts'
import { type Association, associatorsOf, referencesOf } from './wql.ts'

/** How a client speaks with its host. */
export interface WsmanClientOptions {
  /** The WMI namespace of calls that name none; `root/cimv2` where nothing is said. */
  readonly namespace?: string
  /** How long an exchange may take where the call says nothing. */
  readonly timeoutMs?: number
  /** The largest answer that is asked for, in bytes. */
  readonly maxEnvelopeBytes?: number
  /** The language of faults' texts, and of instances' where `dataLocale` does not say otherwise. */
  readonly locale?: string
  readonly dataLocale?: string
  /** `uuid:…`, told to hosts that keep account of sessions. */
  readonly sessionId?: string
  readonly retry?: RetryPolicy
  /** The name of each message, `uuid:…`; random where nothing is said. */
  readonly newMessageId?: () => string
}

/** What a method answered. */
export interface InvokeResult {
  /** 0 for done; what else it may be is the method's own. */
  readonly returnValue: number
  /** The parameters that came back, and ReturnValue. */
  readonly output: CimInstance
}

/** What a declared method answered. */
export interface CallResult<O extends Types> extends InvokeResult {
  /** The declared parameters that came back, typed. */
  readonly values: OutputOf<O>
}

/** An instance, and what names it. */
export interface NamedInstance {
  readonly instance: CimInstance
  readonly reference: EndpointReference
}

/**
 * Speaks WS-Management with one host, as WinRM has it: instances of WMI classes and their methods.
 *
 * Every call rejects with WsmanFault where the host refuses, with TransportError where no answer comes, with
 * WsmanReplyError where the answer makes no sense, and with CimError where what is given cannot be said. Calls may be made
 * at once; the transport bounds how many of them are under way.
 */
export class WsmanClient {
  readonly #requests: Requests
  readonly #namespace: string

  /** Throws CimError for options that are out of bounds. */
  constructor(transport: Transport, options: WsmanClientOptions = {}) {
    const { maxEnvelopeBytes = ENVELOPE_BYTES, timeoutMs = TIMEOUT_MS, locale = 'en-US' } = options
    if (!Number.isSafeInteger(maxEnvelopeBytes) || maxEnvelopeBytes < ENVELOPE_BYTES_MIN) {
      throw new CimError(`an envelope of ${maxEnvelopeBytes} bytes`)
    }
    this.#namespace = normalizeNamespace(options.namespace ?? 'root/cimv2')
    this.#requests = new Requests(transport, {
      maxEnvelopeBytes,
      timeoutMs,
      locale,
      dataLocale: options.dataLocale ?? locale,
      sessionId: options.sessionId,
      retry: options.retry ?? {},
      newMessageId: options.newMessageId ?? (() => `uuid:${randomUUID().toUpperCase()}`),
    })
  }

  /** Asks who answers; without credentials too, where hosts tell less. */
  async identify(options: CallOptions & { readonly isAnonymous?: boolean } = {}): Promise<Identity> {
    return this.#requests.identify(options)
  }

  /** Reads one instance. A host that does not have it answers with a fault of kind `not-found`. */
  async get(target: EndpointReference, options: CallOptions = {}): Promise<CimInstance> {
    const answer = await this.#transfer(ACTION.get, target, undefined, 'read', options)
    if (answer === undefined) throw garbage('Get was answered with nothing')
    return readInstance(answer)
  }

  /** Writes properties of an instance, as far as its class lets them be written. Resolves with what it is then, if told. */
  async put(
    target: EndpointReference,
    properties: Arguments,
    options: CallOptions = {},
  ): Promise<CimInstance | undefined> {
    const body = writeInstance(target.className, target.resourceUri, properties)
    const answer = await this.#transfer(ACTION.put, target, body, 'once', options)
    return answer === undefined ? undefined : readInstance(answer)
  }

  /** Makes an instance of a class. */
  async create(className: string, properties: Arguments, options: CallOptions = {}): Promise<EndpointReference> {
    const resourceUri = classUri(options.namespace ?? this.#namespace, className)
    const draft = { action: ACTION.create, resourceUri, body: writeInstance(className, resourceUri, properties) }
    return this.#requests.send(draft, 'once', options, (answer, messageId) =>
      readReference(readReplyOf(answer, messageId, NAMESPACE.x, 'ResourceCreated')),
    )
  }

  /** Deletes an instance. */
  async delete(target: EndpointReference, options: CallOptions = {}): Promise<void> {
    await this.#transfer(ACTION.delete, target, undefined, 'once', options)
  }

  /** The instances of a source, as they come. Stopping early lets go of the rest. */
  async *enumerate(source: Source, options: CallOptions = {}): AsyncGenerator<CimInstance, void, undefined> {
    for await (const item of walk(this.#enumeration(source, 'instances', options))) {
      yield instanceIn(item)
    }
  }

  /** References to the instances of a source, as they come. */
  async *enumerateReferences(
    source: Source,
    options: CallOptions = {},
  ): AsyncGenerator<EndpointReference, void, undefined> {
    for await (const item of walk(this.#enumeration(source, 'references', options))) {
      yield referenceIn(item)
    }
  }

  /** The instances of a source, each with what names it, as they come. */
  async *enumerateNamed(source: Source, options: CallOptions = {}): AsyncGenerator<NamedInstance, void, undefined> {
    for await (const item of walk(this.#enumeration(source, 'both', options))) {
      yield { instance: instanceIn(item), reference: referenceIn(item) }
    }
  }

  /** All instances of a source, most often a query. Begun anew where the connection breaks in between. */
  async query(source: Source, options: CallOptions = {}): Promise<readonly CimInstance[]> {
    const items = await collect(this.#enumeration(source, 'instances', options))
    return items.map(instanceIn)
  }

  /** References to all instances of a source. */
  async queryReferences(source: Source, options: CallOptions = {}): Promise<readonly EndpointReference[]> {
    const items = await collect(this.#enumeration(source, 'references', options))
    return items.map(referenceIn)
  }

  /** All instances that are associated with `of`, in its own namespace. */
  async associators(
    of: EndpointReference,
    association: Association = {},
    options: CallOptions = {},
  ): Promise<readonly CimInstance[]> {
    return this.query(associatorsOf(of, association), { ...options, namespace: of.namespace ?? this.#namespace })
  }

  /** All associations in which `of` stands, in its own namespace. */
  async references(
    of: EndpointReference,
    association: Omit<Association, 'associationClass'> = {},
    options: CallOptions = {},
  ): Promise<readonly CimInstance[]> {
    return this.query(referencesOf(of, association), { ...options, namespace: of.namespace ?? this.#namespace })
  }

  /** Begins an enumeration by hand. Its context is to be pulled until there is none any more, or released. */
  async start(source: Source, mode: EnumerationMode = 'instances', options: CallOptions = {}): Promise<Page> {
    return startEnumeration(this.#enumeration(source, mode, options))
  }

  /** Goes on with an enumeration by hand, with the last context that was answered. A lost answer cannot be had again. */
  async pull(
    source: Source,
    context: string,
    mode: EnumerationMode = 'instances',
    options: CallOptions = {},
  ): Promise<Page> {
    return pullMore(this.#enumeration(source, mode, options), context)
  }

  /** Lets go of an enumeration that was begun by hand. */
  async release(source: Source, context: string, options: CallOptions = {}): Promise<void> {
    return releaseEnumeration(this.#enumeration(source, 'instances', options), context)
  }

  /**
   * Calls a method of an instance. It is sent once: where the connection breaks after that, nobody knows what the host
   * did, and the TransportError says so in `wasSent`.
   */
  async invoke(
    target: EndpointReference,
    method: string,
    input: Arguments = {},
    options: CallOptions = {},
  ): Promise<InvokeResult> {
    const { resourceUri, selectors } = target
    const action = `${resourceUri}/${requireName(method)}`
    const body = writeInstance(`${method}_INPUT`, resourceUri, input)
    return this.#requests.send({ action, resourceUri, selectors, body }, 'once', options, (answer, messageId) =>
      readResult(readReply(answer, messageId), method),
    )
  }

  /** Calls a method that was declared, its arguments checked before anything is sent, its result typed. */
  async call<I extends Types, O extends Types>(
    target: EndpointReference,
    method: CimMethod<I, O>,
    input: InputOf<I>,
    options: CallOptions = {},
  ): Promise<CallResult<O>> {
    const result = await this.invoke(target, method.name, argumentsOf(method, input), options)
    return { ...result, values: resultOf(method, result.output) }
  }

  /** Waits until enumerations that are being let go are, and ends all connections. Calling it twice is harmless. */
  async close(): Promise<void> {
    await this.#requests.settle()
    this.#requests.close()
  }

  async #transfer(
    action: string,
    { resourceUri, selectors }: EndpointReference,
    body: XmlOutput | undefined,
    safety: 'read' | 'once',
    options: CallOptions,
  ) {
    return this.#requests.send({ action, resourceUri, selectors, ...(body && { body }) }, safety, options, readReply)
  }

  #enumeration(source: Source, mode: EnumerationMode, options: CallOptions): Enumeration {
    const target = targetOf(source, options.namespace ?? this.#namespace)
    return { requests: this.#requests, target, mode, options }
  }
}

/** An instance, or the parameters of a method, in the namespace of the class. */
function writeInstance(name: string, resourceUri: string, values: Arguments): XmlOutput {
  const attributes = { 'xmlns:p': resourceUri, 'xmlns:xsi': NAMESPACE.xsi, 'xmlns:cim': NAMESPACE.cim }
  return { name: `p:${requireName(name)}`, attributes, children: writeParameters(values) }
}

/** Names are compared as CIM does, without their case; the class may be one that the method is inherited from. */
function readResult(content: Parameters<typeof readInstance>[0] | undefined, method: string): InvokeResult {
  if (content?.name.toLowerCase() !== `${method}_OUTPUT`.toLowerCase()) {
    throw garbage(`${method} was answered with ${content?.name ?? 'nothing'}`)
  }
  const output = readInstance(content)
  const returnValue = output.number('ReturnValue')
  if (returnValue === undefined) throw garbage(`${method} was answered without ReturnValue`)
  return { returnValue, output }
}

function instanceIn({ instance }: { readonly instance?: CimInstance }): CimInstance {
  if (instance === undefined) throw garbage('an item that is no instance')
  return instance
}

function referenceIn({ reference }: { readonly reference?: EndpointReference }): EndpointReference {
  if (reference === undefined) throw garbage('an item that is no reference')
  return reference
}
