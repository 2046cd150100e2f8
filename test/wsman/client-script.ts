import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WsmanClient, type WsmanClientOptions } from '../../src/protocols/wsman/client.ts'
import type { PostOptions, Transport, TransportReply } from '../../src/protocols/wsman/transport.ts'
import { TransportError } from '../../src/protocols/wsman/transport.ts'
import { parseXml, type XmlElement } from '../../src/wire/xml/tree.ts'

export const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'hyperv')
export const V2 = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2'
export const XMLNS = {
  s: 'http://www.w3.org/2003/05/soap-envelope',
  a: 'http://schemas.xmlsoap.org/ws/2004/08/addressing',
  n: 'http://schemas.xmlsoap.org/ws/2004/09/enumeration',
  x: 'http://schemas.xmlsoap.org/ws/2004/09/transfer',
  w: 'http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
} as const

/** The bytes of a fixture. */
export function fixture(name: string): Buffer {
  return readFileSync(join(FIXTURES, name))
}

/** A request as a host sees it. */
export interface Asked {
  readonly envelope: XmlElement
  readonly text: string
  readonly options: PostOptions
  /** The last part of its action: `Pull`, or the name of a method; '' of Identify. */
  readonly action: string
  readonly messageId: string
  readonly body: XmlElement | undefined
}

/** Answers a request: with the body of an envelope or a whole one, or by throwing. */
export type Step = (asked: Asked) => string | Uint8Array | Promise<string | Uint8Array>

/** A transport to a host that follows a script, step by step; the last step answers all that follows. */
export class ScriptedHost implements Transport {
  readonly url = 'http://hv.example:5985/wsman'
  readonly asked: Asked[] = []
  isClosed = false
  readonly #steps: readonly Step[]

  constructor(steps: readonly Step[]) {
    this.#steps = steps
  }

  async post(envelope: Uint8Array, options: PostOptions): Promise<TransportReply> {
    if (this.isClosed) throw new TransportError('closed', 'closed', { wasSent: false })
    if (options.signal?.aborted === true) throw new TransportError('aborted', 'aborted', { wasSent: false })
    const asked = read(envelope, options)
    const step = this.#steps[Math.min(this.asked.length, this.#steps.length - 1)]
    this.asked.push(asked)
    const answer = (await step?.(asked)) ?? ''
    return { status: 200, body: typeof answer === 'string' ? Buffer.from(answerTo(asked, answer)) : answer }
  }

  close(): void {
    this.isClosed = true
  }

  /** What was asked, by the last parts of the actions. */
  get actions(): readonly string[] {
    return this.asked.map(({ action }) => action)
  }
}

/** A client of a host that follows a script. Its pauses are short. */
export function scripted(steps: readonly Step[], options: WsmanClientOptions = {}) {
  const host = new ScriptedHost(steps)
  const client = new WsmanClient(host, {
    namespace: 'root/virtualization/v2',
    retry: { retries: 4, pauseMs: 1 },
    ...options,
  })
  return { host, client }
}

/** An envelope with `body`, which answers `asked`. */
export function answerTo(asked: Pick<Asked, 'messageId'>, body: string): string {
  const declarations = Object.entries(XMLNS).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
  const relates = asked.messageId === '' ? '' : `<a:RelatesTo>${asked.messageId}</a:RelatesTo>`
  return `<s:Envelope${declarations.join('')}><s:Header>${relates}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
}

/** A fault with these codes. */
export function faultWith(subcode: string, code?: number): string {
  const detail =
    code === undefined
      ? ''
      : `<s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="${code}"/></s:Detail>`
  return `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="">text</s:Text></s:Reason>${detail}</s:Fault>`
}

/** The connection breaks. */
export function lost(wasSent: boolean): never {
  throw new TransportError('lost', 'the connection broke', { wasSent })
}

/** An instance of a class of v2, as Windows writes it. */
export function vm(name: string): string {
  return `<p:Msvm_ComputerSystem xmlns:p="${V2}/Msvm_ComputerSystem"><p:Name>${name}</p:Name></p:Msvm_ComputerSystem>`
}

/** The answer to Enumerate: items, and the context of the rest where there is one. */
export function enumerated(items: readonly string[], context?: string): string {
  const end = context === undefined ? '<w:EndOfSequence/>' : ''
  const inner = items.join('')
  return `<n:EnumerateResponse><n:EnumerationContext>${context ?? ''}</n:EnumerationContext><w:Items>${inner}</w:Items>${end}</n:EnumerateResponse>`
}

/** The answer to Pull: items, and the next context where there is one. */
export function pulled(items: readonly string[], context?: string): string {
  const next = context === undefined ? '' : `<n:EnumerationContext>${context}</n:EnumerationContext>`
  const end = context === undefined ? '<n:EndOfSequence/>' : ''
  return `<n:PullResponse>${next}<n:Items>${items.join('')}</n:Items>${end}</n:PullResponse>`
}

/** The context that a request names. */
export function contextOf({ body }: Asked): string | undefined {
  return body?.element('EnumerationContext', XMLNS.n)?.text()
}

function read(bytes: Uint8Array, options: PostOptions): Asked {
  const envelope = parseXml(bytes)
  const header = envelope.element('Header', XMLNS.s)
  const text = (name: string) => header?.element(name, XMLNS.a)?.text() ?? ''
  return {
    envelope,
    text: Buffer.from(bytes).toString(),
    options,
    action: text('Action').split('/').at(-1) ?? '',
    messageId: text('MessageID'),
    body: envelope.element('Body', XMLNS.s)?.elements()[0],
  }
}
