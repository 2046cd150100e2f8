import { Buffer } from 'node:buffer'
import { WmiError } from '../cim/provider.ts'
import type { Repository } from '../cim/repository.ts'
import { type Faults, NO_FAULTS, type RequestFault } from '../faults/plan.ts'
import { type Clock, systemClock } from '../host/clock.ts'
import { type Random, randomOf } from '../host/random.ts'
import type { Locale } from '../host/texts.ts'
import { Contexts } from './contexts.ts'
import { type Dispatcher, dispatcherOf, type Operation } from './dispatch.ts'
import type { HostFacts } from './envelope.ts'
import type { WsmanAnswer, WsmanRequest, WsmanService } from './exchange.ts'
import { faultOfWmi, WsmanFault } from './fault.ts'
import { type FaultContext, writeFault } from './fault-writer.ts'
import { SPNEGO_KERBEROS, writeIdentity } from './identify.ts'
import { limitsOf, type WinrmLimits } from './limits.ts'
import * as names from './names.ts'
import { ClientGone, sleep, within } from './patience.ts'
import { Operations } from './quota.ts'
import { contextOf, type Envelope, readEnvelope, requireUnderstood } from './request.ts'

export interface WsmanServiceOptions {
  readonly host: {
    /** NetBIOS name, in upper case. */
    readonly name: string
    readonly build: number
    /** English where nothing is said. */
    readonly locale?: Locale
  }
  /** By namespace, such as `root\virtualization\v2`; what is not here this host does not have. */
  readonly namespaces: ReadonlyMap<string, Repository>
  readonly faults?: Faults
  readonly clock?: Clock
  /** Gives MessageIDs and contexts. */
  readonly random?: Random
  /** Other limits than the defaults of the build. */
  readonly limits?: Partial<WinrmLimits>
  /** How long each request takes before it is looked at: on average, where `chance` is given. */
  readonly latency?: { readonly ms: number; readonly chance?: Random }
  /** What Identify says of how clients may log in. */
  readonly securityProfiles?: readonly string[]
  /** Told of what went wrong in the simulated host itself; the client gets an internal error. */
  readonly onBug?: (error: unknown) => void
}

/** What an answer is made with. */
interface Service {
  readonly host: HostFacts
  readonly limits: WinrmLimits
  readonly faults: Faults
  readonly clock: Clock
  readonly operations: Operations
  readonly dispatch: Dispatcher
  readonly latency: () => number
  readonly profiles: readonly string[]
  readonly onBug: (error: unknown) => void
}

const NO_CONTEXT: FaultContext = { messageId: undefined, machine: '' }

/** The SOAP face of a simulated host. It holds state for those alone who have logged in. */
export function wsmanService(options: WsmanServiceOptions): WsmanService {
  const { clock = systemClock, random = randomOf(undefined), latency } = options
  const { name, build, locale = 'en-US' } = options.host
  const host: HostFacts = { name, build, locale, random }
  const limits = { ...limitsOf(build), ...options.limits }
  const contexts = new Contexts(clock, random, limits)
  const service: Service = {
    host,
    limits,
    faults: options.faults ?? NO_FAULTS,
    clock,
    operations: new Operations(limits, contexts),
    dispatch: dispatcherOf({ host, limits, contexts, repositories: options.namespaces }),
    latency: () => (latency === undefined ? 0 : latency.ms * (0.5 + (latency.chance?.fraction() ?? 0.5))),
    profiles: options.securityProfiles ?? [SPNEGO_KERBEROS],
    onBug: options.onBug ?? (() => undefined),
  }
  return request => answer(service, request)
}

async function answer(service: Service, request: WsmanRequest): Promise<WsmanAnswer> {
  let context = NO_CONTEXT
  try {
    await sleep(service.clock, service.latency(), request.signal)
    const envelope = readEnvelope(request.envelope, service.limits)
    context = contextOf(envelope)
    requireUnderstood(envelope)
    const text = isIdentify(envelope)
      ? writeIdentity(service.host, service.profiles, request.user !== undefined)
      : await carryOut(service, envelope, request, context)
    return text === 'lost' ? text : { status: 200, envelope: Buffer.from(text) }
  } catch (error) {
    if (error instanceof ClientGone) return 'lost'
    return { status: 500, envelope: Buffer.from(writeFault(service.host, faultOf(service, error), context)) }
  }
}

function isIdentify({ body }: Envelope): boolean {
  return body.length === 1 && body[0]?.name === 'Identify' && body[0].namespace === names.IDENTITY
}

/** What is no fault is a bug of the simulated host: its client learns no more than from Windows. */
function faultOf({ onBug }: Service, error: unknown): WsmanFault {
  if (error instanceof WsmanFault) return error
  if (error instanceof WmiError) return faultOfWmi(error)
  onBug(error)
  return new WsmanFault('provider-failed')
}

async function carryOut(
  service: Service,
  envelope: Envelope,
  { user, isAdministrator = true, signal }: WsmanRequest,
  context: FaultContext,
): Promise<string> {
  if (user === undefined || !isAdministrator) throw new WsmanFault('access-denied')
  const operation = service.dispatch(envelope, user, context.messageId)
  const { name, className, method } = operation
  const fault = service.faults.ofRequest({
    operation: name,
    user,
    ...(className === undefined ? {} : { className }),
    ...(method === undefined ? {} : { method }),
  })
  if (fault?.kind === 'lost-before') return 'lost'
  if (fault?.kind === 'access-denied') throw new WsmanFault('access-denied')
  if (fault?.kind === 'throttled') throw service.operations.excess()
  const end = service.operations.begin(user, operation.isNew)
  try {
    const text = await runInTime(service, operation, fault, signal)
    requireRoom(operation, text)
    if (fault?.kind !== 'lost-after') return text
  } catch (error) {
    if (fault?.kind !== 'lost-after') throw error
    faultOf(service, error)
  } finally {
    end()
  }
  return 'lost'
}

/** A slow host is slow before it begins: what is given up on by then was not done. */
async function runInTime(
  { clock }: Service,
  operation: Operation,
  fault: RequestFault | undefined,
  signal: AbortSignal,
): Promise<string> {
  const slowMs = fault?.kind === 'slow' ? fault.ms : 0
  const { timeoutMs, maxTimeMs = Number.POSITIVE_INFINITY } = operation
  const patienceMs = Math.min(timeoutMs, maxTimeMs)
  await sleep(clock, Math.min(slowMs, patienceMs), signal)
  if (slowMs >= patienceMs) throw new WsmanFault(maxTimeMs < timeoutMs ? 'max-time' : 'timed-out')
  return within(clock, timeoutMs - slowMs, signal, async () => operation.run())
}

/** An answer in one piece has to fit; what a method did is done all the same. */
function requireRoom({ name, maxEnvelopeBytes, isLimitOfClient }: Operation, text: string): void {
  if (Buffer.byteLength(text) <= maxEnvelopeBytes) return
  if (name === 'Invoke') throw new WsmanFault('unreportable-success')
  throw new WsmanFault(isLimitOfClient ? 'answer-too-large' : 'answer-over-limit')
}
