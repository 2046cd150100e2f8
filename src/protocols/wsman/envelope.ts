import { Buffer } from 'node:buffer'
import { XmlError } from '../../wire/xml/error.ts'
import { writeXml, type XmlOutput } from '../../wire/xml/write.ts'
import { type KeyValue, writeSelectors } from './endpoint-reference.ts'
import { CimError } from './error.ts'
import { ANONYMOUS, NAMESPACE } from './names.ts'

/** What every request of a client says alike. */
export interface RequestSettings {
  /** The address of the service, as the client knows it. */
  readonly to: string
  readonly maxEnvelopeBytes: number
  readonly operationTimeoutMs: number
  /** The language that texts of faults are wanted in, and those of instances; hosts may know better. */
  readonly locale: string
  readonly dataLocale: string
  /** Told where a host is to see that requests belong together. */
  readonly sessionId?: string | undefined
}

/** What one request says. */
export interface Request {
  /** Told back in the answer. */
  readonly messageId: string
  readonly action: string
  readonly resourceUri: string
  readonly selectors?: ReadonlyMap<string, KeyValue>
  /** Hints to the provider of the class. */
  readonly options?: Readonly<Record<string, string>>
  readonly body?: XmlOutput
}

const MUST_UNDERSTAND = { 's:mustUnderstand': 'true' } as const
const MAY_IGNORE = { 's:mustUnderstand': 'false' } as const
const DECLARED = ['s', 'a', 'n', 'w', 'p'] as const

/**
 * Writes the envelope of a request. Throws CimError for what XML cannot carry.
 * Source: DSP0226; MS-WSMV; the order is that of the clients that come with Windows.
 */
export function writeRequest(settings: RequestSettings, request: Request): Buffer {
  const { to, maxEnvelopeBytes, operationTimeoutMs, locale, dataLocale, sessionId } = settings
  const seconds = (operationTimeoutMs / 1_000).toFixed(3)
  const header: XmlOutput[] = [
    element('a:To', to),
    element('w:ResourceURI', request.resourceUri, MUST_UNDERSTAND),
    { name: 'a:ReplyTo', children: [element('a:Address', ANONYMOUS, MUST_UNDERSTAND)] },
    element('a:Action', request.action, MUST_UNDERSTAND),
    element('w:MaxEnvelopeSize', String(maxEnvelopeBytes), MUST_UNDERSTAND),
    element('a:MessageID', request.messageId),
    { name: 'w:Locale', attributes: { 'xml:lang': locale, ...MAY_IGNORE } },
    { name: 'p:DataLocale', attributes: { 'xml:lang': dataLocale, ...MAY_IGNORE } },
    ...(sessionId === undefined ? [] : [element('p:SessionId', sessionId, MAY_IGNORE)]),
    element('w:OperationTimeout', `PT${seconds}S`),
    ...writeSelectors(request.selectors ?? new Map()),
    ...writeOptions(request.options),
  ]
  return writeEnvelope(header, request.body)
}

/** Identify asks who is there before anything is agreed upon, so that it says nothing else. Source: DSP0226, "Identify". */
export function writeIdentify(): Buffer {
  return writeEnvelope([], { name: 'wsmid:Identify', attributes: { 'xmlns:wsmid': NAMESPACE.wsmid } })
}

function writeEnvelope(header: readonly XmlOutput[], body: XmlOutput | undefined): Buffer {
  const declarations = DECLARED.map(prefix => [`xmlns:${prefix}`, NAMESPACE[prefix]])
  const envelope: XmlOutput = {
    name: 's:Envelope',
    attributes: Object.fromEntries(declarations),
    children: [
      { name: 's:Header', children: header },
      { name: 's:Body', children: body === undefined ? [] : [body] },
    ],
  }
  try {
    return Buffer.from(writeXml(envelope))
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new CimError(`the request cannot be written: ${error.reason}`, { cause: error })
  }
}

/** Source: DSP0226, "wsman:OptionSet". */
function writeOptions(options: Readonly<Record<string, string>> = {}): XmlOutput[] {
  const given = Object.entries(options)
  if (given.length === 0) return []
  return [{ name: 'w:OptionSet', children: given.map(([Name, value]) => element('w:Option', value, { Name })) }]
}

function element(name: string, text: string, attributes: Readonly<Record<string, string>> = {}): XmlOutput {
  return { name, attributes, children: text === '' ? [] : [text] }
}
