/** What client and server say to each other. Source: RFC 5802 §5.1, §7 (grammar). */

import { isUtf8 } from 'node:buffer'
import { ScramError } from './error.ts'

/** How a client begins. */
export interface ClientFirst {
  /** Its own beginning, which it repeats at the end in base 64. */
  readonly header: string
  /** Whom it wants to act as; empty for itself. */
  readonly authorization: string
  readonly name: string
  readonly nonce: string
  /** All but the header, as it came. */
  readonly bare: string
}

/** How a client ends. */
export interface ClientFinal {
  /** The header of the beginning, decoded. */
  readonly header: string
  readonly nonce: string
  readonly proof: Buffer
  /** All but the proof, as it came. */
  readonly withoutProof: string
}

/** Of a client's message. Names, nonces and proofs are far shorter. */
const MESSAGE_BYTES_MAX = 4096

const FIRST = /^((n|y|p=[^,]*),(?:a=([^,]*))?,)((m=[^,]*,)?n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,[^\0]*)?)$/
const FINAL = /^(c=([\w+/]+={0,2}),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^\0,]+)*),p=([\w+/]{43}=)$/

/** Reads how a client begins. Throws ScramError for what is none, or asks for what is not spoken. */
export function parseClientFirst(bytes: Uint8Array): ClientFirst {
  const found = FIRST.exec(textOf(bytes))
  if (found === null) throw new ScramError('no first message of a client')
  const [, header = '', binding = '', authorization = '', bare = '', extension, name = '', nonce = ''] = found
  if (binding.startsWith('p')) throw new ScramError('a channel binding, which was not offered')
  if (extension !== undefined) throw new ScramError('an extension that is not known')
  return { header, authorization: unescaped(authorization), bare, name: unescaped(name), nonce }
}

/** Reads how a client ends. Throws ScramError for what is none. */
export function parseClientFinal(bytes: Uint8Array): ClientFinal {
  const found = FINAL.exec(textOf(bytes))
  if (found === null) throw new ScramError('no last message of a client')
  const [, withoutProof = '', header = '', nonce = '', proof = ''] = found
  const decoded = Buffer.from(header, 'base64').toString('latin1')
  return { withoutProof, header: decoded, nonce, proof: Buffer.from(proof, 'base64') }
}

function textOf(bytes: Uint8Array): string {
  if (bytes.length > MESSAGE_BYTES_MAX) throw new ScramError(`a message of ${bytes.length} bytes`)
  if (!isUtf8(bytes)) throw new ScramError('a message that is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Source: RFC 5802 §5.1, `saslname`. */
function unescaped(name: string): string {
  if (/=(?!2C|3D)/.test(name)) throw new ScramError('a name that is none')
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=')
}
