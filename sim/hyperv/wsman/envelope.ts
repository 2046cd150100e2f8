import { escapeText } from '../../../src/wire/xml/write.ts'
import type { Random } from '../host/random.ts'
import type { Locale } from '../host/texts.ts'
import * as names from './names.ts'

/** What answers say of the host. */
export interface HostFacts {
  /** NetBIOS name, in upper case. */
  readonly name: string
  readonly build: number
  readonly locale: Locale
  /** Gives MessageIDs and enumeration contexts. */
  readonly random: Random
}

export interface AnswerHeader {
  readonly action: string
  /** The MessageID of the request. */
  readonly relatesTo: string | undefined
  /** Further headers, written. */
  readonly more?: string
}

const SOAP = ` xmlns:s="${names.SOAP}" xmlns:a="${names.ADDRESSING}"`
const TRANSFER = ` xmlns:x="${names.TRANSFER}"`
const EVENTING = ` xmlns:e="${names.EVENTING}"`
const ENUMERATION = ` xmlns:n="${names.ENUMERATION}"`
const WSMAN = ` xmlns:w="${names.WSMAN}"`
const MICROSOFT = ` xmlns:p="${names.MICROSOFT}"`

/** What is declared in an answer, in order: clients look for these very prefixes. */
const DECLARED = {
  enumeration: SOAP + ENUMERATION + WSMAN,
  /** Of calls too. */
  transfer: SOAP + TRANSFER + WSMAN + MICROSOFT,
  fault: SOAP + TRANSFER + EVENTING + ENUMERATION + WSMAN + MICROSOFT,
} as const

/**
 * The envelope up to its body.
 * Source: answers of real hosts, recorded; the C driver of libvirt, whose XPaths name the prefixes.
 */
export function openEnvelope(host: HostFacts, kind: keyof typeof DECLARED, header: AnswerHeader): string {
  const declarations = DECLARED[kind]
  const relatesTo = header.relatesTo === undefined ? '' : `<a:RelatesTo>${escapeText(header.relatesTo)}</a:RelatesTo>`
  return (
    `<s:Envelope xml:lang="${host.locale}"${declarations}><s:Header><a:Action>${escapeText(header.action)}</a:Action>` +
    `<a:MessageID>uuid:${host.random.guid()}</a:MessageID><a:To>${names.ANONYMOUS}</a:To>${relatesTo}${
      header.more ?? ''
    }</s:Header>`
  )
}

/** The body, written, and the end of the envelope. */
export function bodyOf(content: string): string {
  return `<s:Body>${content}</s:Body></s:Envelope>`
}
