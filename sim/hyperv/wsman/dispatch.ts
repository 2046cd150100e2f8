import type { Repository } from '../cim/repository.ts'
import type { Contexts } from './contexts.ts'
import type { HostFacts } from './envelope.ts'
import { readEnumerate, readPull, readRelease } from './enumerate-request.ts'
import { prepareEnumeration, pull, release, type Surroundings } from './enumerate.ts'
import { WsmanFault } from './fault.ts'
import { InstanceWriter } from './instance-writer.ts'
import { invoke, readCall } from './invoke.ts'
import type { WinrmLimits } from './limits.ts'
import { findClass, findRepository, type Namespaces } from './lookup.ts'
import * as names from './names.ts'
import { type Envelope, readHeader, type RequestHeader } from './request.ts'
import { readResource, type Resource } from './resource.ts'
import { get, put, refuseWrite, requireEmptyBody } from './transfer.ts'

/** A request that was read and checked, and can be carried out. */
export interface Operation {
  /** `Get`, `Put`, `Create`, `Delete`, `Enumerate`, `Pull`, `Release` or `Invoke`. */
  readonly name: string
  readonly className: string | undefined
  readonly method?: string
  readonly timeoutMs: number
  /** Of a Pull: how long it waits for an item. */
  readonly maxTimeMs?: number
  readonly maxEnvelopeBytes: number
  readonly isLimitOfClient: boolean
  /** Whether it takes a slot of its own, and does not go on with an enumeration. */
  readonly isNew: boolean
  /** Throws WsmanFault. */
  run(): string | Promise<string>
}

export interface DispatchOptions {
  readonly host: HostFacts
  readonly limits: WinrmLimits
  readonly contexts: Contexts
  readonly repositories: ReadonlyMap<string, Repository>
}

/** Makes an operation of an envelope. Throws WsmanFault. */
export type Dispatcher = (envelope: Envelope, user: string, messageId: string | undefined) => Operation

/** What the makers of operations are given. */
interface Request {
  readonly header: RequestHeader
  readonly resource: Resource
  readonly envelope: Envelope
  readonly user: string
  readonly messageId: string | undefined
}

type Made = Pick<Operation, 'name' | 'className' | 'isNew' | 'run'> &
  Partial<Pick<Operation, 'method' | 'timeoutMs' | 'maxTimeMs' | 'maxEnvelopeBytes'>>
type Maker = (parts: Surroundings, request: Request) => Made

/** Dispatch is a table: the action of a request is one of these, or the name of a method. */
const MAKERS: ReadonlyMap<string, Maker> = new Map([
  [`${names.TRANSFER}/Get`, makeGet],
  [`${names.TRANSFER}/Put`, makePut],
  [`${names.TRANSFER}/Create`, makeWrite('Create')],
  [`${names.TRANSFER}/Delete`, makeWrite('Delete')],
  [`${names.ENUMERATION}/Enumerate`, makeEnumerate],
  [`${names.ENUMERATION}/Pull`, makePull],
  [`${names.ENUMERATION}/Release`, makeRelease],
])

export function dispatcherOf({ host, limits, contexts, repositories }: DispatchOptions): Dispatcher {
  const namespaces: Namespaces = { hostName: host.name, build: host.build, repositories }
  const writers = new Map([...repositories.keys()].map(namespace => [namespace, new InstanceWriter(namespace)]))
  const parts: Surroundings = { host, limits, contexts, namespaces, writers }
  return (envelope, user, messageId) => {
    const header = readHeader(envelope, limits)
    const resource = readResource(header.resourceUri, header.selectors)
    // Source: DSP0226, §7.7: fragments are of transfers; whoever names one elsewhere would take all for the part.
    const isTransfer = header.action.startsWith(`${names.TRANSFER}/`)
    if (header.fragment !== undefined && !isTransfer) throw new WsmanFault('fragment-dialect')
    const made = (MAKERS.get(header.action) ?? makeInvoke)(parts, { header, resource, envelope, user, messageId })
    const { timeoutMs, maxEnvelopeBytes, isLimitOfClient } = header
    return { timeoutMs, maxEnvelopeBytes, isLimitOfClient, ...made }
  }
}

function makeGet(parts: Surroundings, { header, resource, envelope, messageId }: Request): Made {
  const target = findClass(parts.namespaces, resource)
  requireEmptyBody(envelope)
  const writer = writerOf(parts, resource)
  return {
    name: 'Get',
    className: target.class.name,
    isNew: true,
    run: () => get(parts.host, parts.namespaces, writer, { target, header, messageId }),
  }
}

function makePut(parts: Surroundings, { header, resource, envelope, messageId }: Request): Made {
  const target = findClass(parts.namespaces, resource)
  const writer = writerOf(parts, resource)
  return {
    name: 'Put',
    className: target.class.name,
    isNew: true,
    run: () => put(parts.host, parts.namespaces, writer, { target, header, messageId }, envelope),
  }
}

function makeWrite(name: 'Create' | 'Delete'): Maker {
  return ({ namespaces }, { resource }) => {
    const target = findClass(namespaces, resource)
    return { name, className: target.class.name, isNew: true, run: () => refuseWrite(namespaces, name, target) }
  }
}

function makeEnumerate(parts: Surroundings, { header, resource, envelope, user, messageId }: Request): Made {
  const body = readEnumerate(envelope.body)
  const prepared = prepareEnumeration(parts, resource, body)
  const request = { header, user, messageId, namespace: resource.namespace }
  return { name: 'Enumerate', className: prepared.className, isNew: true, run: () => prepared.run(request) }
}

/** Its URI may name any class of the namespace: clients send that of what they expect, or of what they will call. */
function makePull(parts: Surroundings, { header, resource, envelope, user, messageId }: Request): Made {
  findRepository(parts.namespaces, resource)
  const body = readPull(envelope.body)
  const className = parts.contexts.find(body.context, user)?.className ?? resource.className
  const { maxTimeMs } = body
  return {
    name: 'Pull',
    className,
    isNew: false,
    // Source: Microsoft Learn on MaxTimeoutms, which is said not to hold for Pull.
    timeoutMs: header.askedTimeoutMs ?? header.timeoutMs,
    ...(maxTimeMs === undefined ? {} : { maxTimeMs }),
    run: () => pull(parts, { header, user, messageId, namespace: resource.namespace }, body),
  }
}

function makeRelease(parts: Surroundings, { header, resource, envelope, user, messageId }: Request): Made {
  findRepository(parts.namespaces, resource)
  const context = readRelease(envelope.body)
  const className = parts.contexts.find(context, user)?.className ?? resource.className
  const request = { header, user, messageId, namespace: resource.namespace }
  return { name: 'Release', className, isNew: false, run: () => release(parts, request, context) }
}

/** The action of a call is the resource URI and the method's name. */
function makeInvoke(parts: Surroundings, { header, resource, envelope, user, messageId }: Request): Made {
  const uri = header.resourceUri.replace(/\/+$/, '')
  const slash = header.action.lastIndexOf('/')
  const methodName = header.action.slice(slash + 1)
  if (header.action.slice(0, slash).toLowerCase() !== uri.toLowerCase() || !/^[A-Za-z_]\w*$/.test(methodName)) {
    throw new WsmanFault('action-not-supported')
  }
  const target = findClass(parts.namespaces, resource)
  const call = readCall(parts.namespaces, target, methodName, envelope.body)
  const surroundings = { host: parts.host, namespaces: parts.namespaces, writer: writerOf(parts, resource) }
  return {
    name: 'Invoke',
    className: target.class.name,
    method: call.method.name,
    isNew: true,
    // The pictures of machines that the C driver of libvirt asks for, naming no bound, are larger than the service's.
    maxEnvelopeBytes: header.askedEnvelopeBytes ?? Number.POSITIVE_INFINITY,
    run: () => invoke(surroundings, call, { user }, messageId),
  }
}

function writerOf({ writers }: Surroundings, { namespace }: Resource): InstanceWriter {
  return writers.get(namespace) ?? new InstanceWriter(namespace)
}
