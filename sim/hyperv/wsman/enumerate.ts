import { type Batch, writeBatch } from './batch.ts'
import type { Contexts, Enumeration, Items } from './contexts.ts'
import { bodyOf, type HostFacts, openEnvelope } from './envelope.ts'
import type { EnumerateBody, PullBody } from './enumerate-request.ts'
import { WsmanFault } from './fault.ts'
import type { InstanceWriter } from './instance-writer.ts'
import type { WinrmLimits } from './limits.ts'
import type { Namespaces } from './lookup.ts'
import * as names from './names.ts'
import { prepareSelection } from './selection.ts'
import type { RequestHeader } from './request.ts'
import type { Resource } from './resource.ts'

/** What enumerations are answered with. */
export interface Surroundings {
  readonly host: HostFacts
  readonly limits: WinrmLimits
  readonly contexts: Contexts
  readonly namespaces: Namespaces
  /** By namespace. */
  readonly writers: ReadonlyMap<string, InstanceWriter>
}

/** What is known of the request that is answered. */
export interface EnumerationRequest {
  readonly header: RequestHeader
  readonly user: string
  readonly messageId: string | undefined
  readonly namespace: string
}

/** An Enumerate that was checked as far as its text goes. */
export interface PreparedEnumeration {
  /** What is enumerated, where that is one class. */
  readonly className: string | undefined
  /** Throws WsmanFault. */
  run(request: EnumerationRequest): Promise<string>
}

/** Checks an Enumerate. Throws WsmanFault. */
export function prepareEnumeration(parts: Surroundings, resource: Resource, body: EnumerateBody): PreparedEnumeration {
  const selection = prepareSelection(parts, resource, body)
  const { className } = selection
  return {
    className,
    run: async request =>
      answerEnumerate(parts, request, body.isOptimized, { className, items: await selection.select() }),
  }
}

interface Selected {
  readonly className: string | undefined
  readonly items: Items
}

/**
 * An enumeration that is not optimized brings a context and nothing else, even where there is nothing to pull. An
 * optimized one brings all of one item, or one of several. Source: recorded from Server 2008 R2 and 2012.
 */
function answerEnumerate(
  parts: Surroundings,
  request: EnumerationRequest,
  isOptimized: boolean,
  { className, items }: Selected,
): string {
  const enumeration = { user: request.user, namespace: request.namespace, className, items, position: 0 }
  const head = openAnswer(parts.host, request, 'EnumerateResponse', items)
  if (!isOptimized) return head + writeEnumerateBody(parts.contexts.add(enumeration), '')
  const batch = batchOf(enumeration, request.header, { maxElements: 1, maxCharacters: undefined }, head)
  const content = `<w:Items>${batch.content}</w:Items>`.replace('<w:Items></w:Items>', '<w:Items/>')
  if (batch.end >= items.length) return head + writeEnumerateBody('', `${content}<w:EndOfSequence/>`)
  return head + writeEnumerateBody(parts.contexts.add({ ...enumeration, position: batch.end }), content)
}

function writeEnumerateBody(context: string, content: string): string {
  return bodyOf(
    `<n:EnumerateResponse><n:EnumerationContext>${context}</n:EnumerationContext>${content}</n:EnumerateResponse>`,
  )
}

/** Answers Pull: the next items, and either a new context or the end. Throws WsmanFault. */
export function pull(parts: Surroundings, request: EnumerationRequest, body: PullBody): string {
  const enumeration = requireEnumeration(parts.contexts, request, body.context)
  const head = openAnswer(parts.host, request, 'PullResponse', enumeration.items)
  const { maxCharacters } = body
  const maxElements = Math.min(body.maxElements, parts.limits.maxBatchItems)
  const { content, end } = batchOf(enumeration, request.header, { maxCharacters, maxElements }, head)
  parts.contexts.remove(body.context)
  const items = content === '' ? '<n:Items/>' : `<n:Items>${content}</n:Items>`
  if (end >= enumeration.items.length) return head + writePullBody(`${items}<n:EndOfSequence/>`)
  const context = parts.contexts.add({ ...enumeration, position: end })
  return head + writePullBody(`<n:EnumerationContext>${context}</n:EnumerationContext>${items}`)
}

function writePullBody(content: string): string {
  return bodyOf(`<n:PullResponse>${content}</n:PullResponse>`)
}

/** Answers Release. Throws WsmanFault. */
export function release(parts: Surroundings, request: EnumerationRequest, context: string): string {
  requireEnumeration(parts.contexts, request, context)
  parts.contexts.remove(context)
  return openAnswer(parts.host, request, 'ReleaseResponse') + bodyOf('')
}

function requireEnumeration(contexts: Contexts, request: EnumerationRequest, context: string): Enumeration {
  const enumeration = contexts.find(context, request.user)
  if (enumeration?.namespace !== request.namespace) throw new WsmanFault('invalid-context')
  return enumeration
}

function openAnswer(host: HostFacts, request: EnumerationRequest, answer: string, items?: Items): string {
  const isCounted = request.header.wantsTotal && items !== undefined
  return openEnvelope(host, 'enumeration', {
    action: `${names.ENUMERATION}/${answer}`,
    relatesTo: request.messageId,
    ...(isCounted ? { more: `<w:TotalItemsCountEstimate>${items.length}</w:TotalItemsCountEstimate>` } : {}),
  })
}

/** Characters of an answer besides its head and its items: the body's tags, and a context. */
const TAGS_LENGTH = 256

function batchOf(
  { items, position }: Pick<Enumeration, 'items' | 'position'>,
  { maxEnvelopeBytes, isLimitOfClient }: RequestHeader,
  { maxElements, maxCharacters }: Pick<PullBody, 'maxElements' | 'maxCharacters'>,
  head: string,
): Batch {
  const overhead = head.length + TAGS_LENGTH
  return writeBatch(items, position, { maxElements, maxCharacters, maxEnvelopeBytes, isLimitOfClient, overhead })
}
