import { Buffer } from 'node:buffer'
import { parseXml, type XmlElement } from '../../wire/xml/tree.ts'
import { garbage, unreadable, WsmanReplyError } from './error.ts'
import { readFault } from './fault.ts'
import { REPLY_BYTES_MAX, REPLY_DEPTH_MAX, REPLY_ELEMENTS_MAX } from './limits.ts'
import { NAMESPACE } from './names.ts'

const LIMITS = { maxBytes: REPLY_BYTES_MAX, maxDepth: REPLY_DEPTH_MAX, maxElements: REPLY_ELEMENTS_MAX }
const DECLARATION = /^\s*<\?xml\s[^>]{0,200}\?>/

/**
 * Reads an answer and gives the element in its body; undefined where the body is empty. Throws WsmanFault for a fault,
 * and WsmanReplyError for what is no envelope, or the answer to another request than `messageId`.
 * Source: SOAP 1.2 Part 1, §5; WS-Addressing, August 2004, §3.2.
 */
export function readReply(bytes: Uint8Array, messageId?: string): XmlElement | undefined {
  const envelope = parseReply(bytes)
  const header = envelope.element('Header', NAMESPACE.s)
  const body = envelope.element('Body', NAMESPACE.s)
  if (envelope.name !== 'Envelope' || envelope.namespace !== NAMESPACE.s || body === undefined) {
    throw garbage('the answer is no SOAP envelope')
  }
  const [content] = body.elements()
  if (content?.name === 'Fault' && content.namespace === NAMESPACE.s) throw readFault(content, header)
  const relatesTo = header?.element('RelatesTo', NAMESPACE.a)?.text().trim()
  if (messageId !== undefined && relatesTo !== undefined && !isSame(relatesTo, messageId)) {
    throw garbage('the answer is one to another request')
  }
  return content
}

/** The element in the body of an answer, which must be of this name. Throws as `readReply` does. */
export function readReplyOf(bytes: Uint8Array, messageId: string, namespace: string, name: string): XmlElement {
  const content = readReply(bytes, messageId)
  if (content?.name !== name || content.namespace.toLowerCase() !== namespace.toLowerCase()) {
    throw garbage(`the answer holds ${content === undefined ? 'nothing' : content.name} instead of ${name}`)
  }
  return content
}

function parseReply(bytes: Uint8Array): XmlElement {
  if (bytes.byteLength > REPLY_BYTES_MAX) throw new WsmanReplyError('limit', `an answer of ${bytes.byteLength} bytes`)
  try {
    return parseXml(toUtf8(bytes), LIMITS)
  } catch (error) {
    throw unreadable(error, 'the answer cannot be read')
  }
}

/** Hosts answer in UTF-8, and in UTF-16 where they are asked in it or configured so. Source: DSP0226, "Encoding". */
function toUtf8(bytes: Uint8Array): Uint8Array {
  const [first, second] = bytes
  const isLittle = (first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)
  const isBig = (first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)
  if (!isLittle && !isBig) return bytes
  const text = new TextDecoder(isLittle ? 'utf-16le' : 'utf-16be').decode(bytes)
  // The declaration says UTF-16, which is not what is read on.
  return Buffer.from(text.replace(DECLARATION, ''))
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
