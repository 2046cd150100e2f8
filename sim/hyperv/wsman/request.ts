import { XmlError } from '../../../src/wire/xml/error.ts'
import { NO_NAMESPACE, parseXml, type XmlElement } from '../../../src/wire/xml/tree.ts'
import { parseDuration } from './duration.ts'
import { requireNoText } from './element-only.ts'
import { refuse, schemaFault, WsmanFault } from './fault.ts'
import type { FaultContext } from './fault-writer.ts'
import { ENVELOPE_BYTES_MIN, type WinrmLimits } from './limits.ts'
import * as names from './names.ts'
import { readSelectorSet, type Selector } from './selector.ts'

/** An envelope that was read and is not understood yet. */
export interface Envelope {
  readonly headers: readonly XmlElement[]
  readonly body: readonly XmlElement[]
}

/** The headers of a request, understood. */
export interface RequestHeader {
  readonly action: string
  readonly resourceUri: string
  readonly selectors: readonly Selector[]
  /** What the answer may measure at most: what the client takes, or what the service allows. */
  readonly maxEnvelopeBytes: number
  /** Whether it is the client that takes no more. */
  readonly isLimitOfClient: boolean
  /** What the client says that it takes, whatever the service allows. */
  readonly askedEnvelopeBytes: number | undefined
  /** Never more than the service allows. */
  readonly timeoutMs: number
  /** As the client says it: of a Pull, which may wait for longer. */
  readonly askedTimeoutMs: number | undefined
  /** Of w:FragmentTransfer. */
  readonly fragment: { readonly path: string; readonly dialect: string | undefined } | undefined
  readonly wantsTotal: boolean
}

const DEPTH_MAX = 40
const ELEMENTS_MAX = 20_000
const URI_LENGTH_MAX = 2_048
const OPTIONS_MAX = 100

/** Reads the bytes of a request. Throws WsmanFault. */
export function readEnvelope(bytes: Uint8Array, limits: WinrmLimits): Envelope {
  if (bytes.length > limits.maxEnvelopeBytes) throw new WsmanFault('request-too-large')
  const root = parse(bytes, limits.maxEnvelopeBytes)
  if (root.name !== 'Envelope') throw schemaFault(root.name, 'not an envelope', 'エンベロープではありません')
  if (root.namespace === names.SOAP_1_1) throw new WsmanFault('version-mismatch')
  if (root.namespace !== names.SOAP) throw schemaFault('Envelope', 'of no SOAP', 'SOAP ではありません')
  const parts = root.elements()
  const header = parts.filter(part => part.name === 'Header' && part.namespace === names.SOAP)
  const body = parts.filter(part => part.name === 'Body' && part.namespace === names.SOAP)
  const [only] = body
  if (header.length > 1 || only === undefined || body.length > 1 || parts.at(-1) !== only || parts.length > 2) {
    throw schemaFault('Envelope', 'not a header and a body', 'ヘッダーと本文ではありません')
  }
  for (const element of [root, ...parts]) requireNoText(element)
  return { headers: header[0]?.elements() ?? [], body: only.elements() }
}

function parse(bytes: Uint8Array, maxBytes: number): XmlElement {
  try {
    return parseXml(bytes, { maxBytes, maxDepth: DEPTH_MAX, maxElements: ELEMENTS_MAX })
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    if (error.kind === 'encoding') throw new WsmanFault('character-set')
    throw refuse('invalid-xml', error.message, error.message)
  }
}

/** What a fault can say of a request, however wrong it is. */
export function contextOf({ headers }: Envelope): FaultContext {
  const text = (name: string) => headers.find(isAddressing(name))?.text().trim()
  const messageId = text('MessageID')
  const isUsable = messageId !== undefined && isUri(messageId)
  const machine = /^[a-z]+:\/\/(\[[^\]]{1,64}\]|[^/:?#]{1,255})/i.exec(text('To') ?? '')?.[1] ?? ''
  return { messageId: isUsable ? messageId : undefined, machine }
}

/** Throws the fault for the first header that has to be understood and is not known here. */
export function requireUnderstood({ headers }: Envelope): void {
  for (const { prefix, name, namespace, ...header } of headers.map(withAttribute)) {
    if (!header.mustUnderstand || KNOWN.get(namespace)?.includes(name) === true) continue
    throw new WsmanFault('must-understand', { notUnderstood: { prefix, name, namespace } })
  }
}

function withAttribute(header: XmlElement) {
  const { prefix, name, namespace } = header
  return { prefix, name, namespace, mustUnderstand: isSet(header, 'mustUnderstand', names.SOAP) }
}

/** An attribute that is a truth value, false where it is absent; one in another case is taken. Throws WsmanFault. */
function isSet(element: XmlElement, name: string, namespace: string): boolean {
  const value = element.attribute(name, namespace)?.trim().toLowerCase() ?? 'false'
  if (!['true', '1', 'false', '0'].includes(value)) throw schemaFault(name, 'no boolean', 'ブール値ではありません')
  return value === 'true' || value === '1'
}

/** Headers that are understood; those of Microsoft's that mean nothing here are passed over all the same. */
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  [names.ADDRESSING, ['To', 'Action', 'MessageID', 'ReplyTo', 'FaultTo', 'From', 'RelatesTo']],
  [
    names.WSMAN,
    [
      'ResourceURI',
      'SelectorSet',
      'OptionSet',
      'MaxEnvelopeSize',
      'OperationTimeout',
      'Locale',
      'FragmentTransfer',
      'RequestTotalItemsCountEstimate',
      'RequestEPR',
    ],
  ],
  [names.MICROSOFT, ['DataLocale', 'SessionId', 'OperationID', 'SequenceId', 'CompressionType', 'ActivityId']],
])

/** Understands the headers of a request to a resource. Throws WsmanFault. */
export function readHeader({ headers }: Envelope, limits: WinrmLimits): RequestHeader {
  requireUri(required(headers, 'To', names.ADDRESSING), 'a:To')
  const action = requireUri(required(headers, 'Action', names.ADDRESSING), 'a:Action')
  requireUri(required(headers, 'MessageID', names.ADDRESSING), 'a:MessageID')
  requireAnonymous(single(headers, 'ReplyTo', names.ADDRESSING))
  requireAnonymous(single(headers, 'FaultTo', names.ADDRESSING))
  const resourceUri = requireUri(required(headers, 'ResourceURI', names.WSMAN), 'w:ResourceURI')
  const locale = single(headers, 'Locale', names.WSMAN)
  if (locale !== undefined && withAttribute(locale).mustUnderstand) throw new WsmanFault('locale-not-supported')
  checkOptions(single(headers, 'OptionSet', names.WSMAN))
  const selectorSet = single(headers, 'SelectorSet', names.WSMAN)
  const asked = readEnvelopeSize(single(headers, 'MaxEnvelopeSize', names.WSMAN))
  const fragment = single(headers, 'FragmentTransfer', names.WSMAN)
  const askedTimeoutMs = readTimeout(single(headers, 'OperationTimeout', names.WSMAN))
  return {
    action,
    resourceUri,
    selectors: selectorSet === undefined ? [] : readSelectorSet(selectorSet),
    maxEnvelopeBytes: Math.min(asked ?? limits.maxEnvelopeBytes, limits.maxEnvelopeBytes),
    isLimitOfClient: asked !== undefined && asked < limits.maxEnvelopeBytes,
    askedEnvelopeBytes: asked,
    timeoutMs: Math.min(askedTimeoutMs ?? limits.maxTimeoutMs, limits.maxTimeoutMs),
    askedTimeoutMs,
    fragment: fragment && { path: fragment.text().trim(), dialect: fragment.attribute('Dialect') },
    wantsTotal: single(headers, 'RequestTotalItemsCountEstimate', names.WSMAN) !== undefined,
  }
}

function isAddressing(name: string): (header: XmlElement) => boolean {
  return header => header.name === name && header.namespace === names.ADDRESSING
}

function single(headers: readonly XmlElement[], name: string, namespace: string): XmlElement | undefined {
  const found = headers.filter(header => header.name === name && header.namespace === namespace)
  if (found.length > 1) throw refuse('header-invalid', `${name} is given twice.`, `${name} が重複しています。`)
  return found[0]
}

function required(headers: readonly XmlElement[], name: string, namespace: string): XmlElement {
  const header = single(headers, name, namespace)
  if (header === undefined) throw refuse('header-required', `${name} is missing.`, `${name} がありません。`)
  return header
}

function requireUri(header: XmlElement, name: string): string {
  const text = header.text().trim()
  if (isUri(text) && header.elements().length === 0) return text
  throw refuse('header-invalid', `${name} is not a URI.`, `${name} は URI ではありません。`)
}

/** MessageIDs in the wild are hardly URIs (`uuid.761ca906-…` was recorded); what is asked is only that they have no blanks. */
function isUri(text: string): boolean {
  return text !== '' && text.length <= URI_LENGTH_MAX && !/\s/.test(text)
}

function requireAnonymous(header: XmlElement | undefined): void {
  if (header === undefined) return
  const address = header.element('Address', names.ADDRESSING)?.text().trim()
  if (address === undefined) throw refuse('header-invalid', 'An address is missing.', 'アドレスがありません。')
  if (address !== names.ANONYMOUS) throw new WsmanFault('addressing-mode')
}

/** Options of WMI's own are hints; none that must be complied with is known here. */
function checkOptions(set: XmlElement | undefined): void {
  const options = set?.elements() ?? []
  if (options.length > OPTIONS_MAX) throw new WsmanFault('option-limit')
  if (set !== undefined) requireNoText(set)
  for (const option of options) {
    if (option.name !== 'Option' || option.namespace !== names.WSMAN || (option.attribute('Name') ?? '') === '') {
      throw schemaFault('OptionSet', 'holds no option', 'オプションではありません')
    }
    if (isSet(option, 'MustComply', NO_NAMESPACE)) throw new WsmanFault('options-not-supported')
  }
}

function readEnvelopeSize(header: XmlElement | undefined): number | undefined {
  if (header === undefined) return undefined
  const text = header.text().trim()
  if (!/^\d{1,10}$/.test(text)) throw schemaFault('MaxEnvelopeSize', 'not a number', '数値ではありません')
  const bytes = Number(text)
  if (bytes < ENVELOPE_BYTES_MIN) throw new WsmanFault('envelope-size-small')
  return bytes
}

function readTimeout(header: XmlElement | undefined): number | undefined {
  if (header === undefined) return undefined
  const ms = parseDuration(header.text())
  if (ms === undefined || ms === 0) throw new WsmanFault('timeout-invalid')
  return ms
}
