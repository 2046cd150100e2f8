import type { XmlElement } from '../../wire/xml/tree.ts'
import { garbage } from './error.ts'
import { type FaultCodes, type FaultKind, type FaultName, faultKind } from './fault-kind.ts'
import { type CimInstance, readInstance } from './instance.ts'
import { NAMESPACE } from './names.ts'
import { parseSmallInteger } from './scalar-text.ts'

/** What a fault tells, for people and programs. Texts are in the language of the host. */
export interface FaultDetails extends FaultCodes {
  /** The host's own sentence. */
  readonly reason: string
  /** What the provider says, where it says more. */
  readonly detail: string | undefined
  /** Who failed under WS-Management, such as `WMI Provider`. */
  readonly provider: string | undefined
  /** The finer address of the fault, such as `…/faultDetail/InvalidResourceURI`. */
  readonly faultDetail: string | undefined
  /** The header that the host did not understand, as it spells it. */
  readonly notUnderstood: string | undefined
  /** WMI's own account of what it did when it failed; of newer hosts their `MSFT_WmiError`. */
  readonly status: CimInstance | undefined
}

/** A host's answer that it did not do what was asked. Decide by `kind`, or by a code; never by a text. */
export class WsmanFault extends Error implements FaultDetails {
  override readonly name = 'WsmanFault'
  readonly kind: FaultKind
  readonly code: number | undefined
  readonly providerCode: number | undefined
  readonly cimStatus: number | undefined
  readonly subcodes: readonly FaultName[]
  readonly soapCode: string | undefined
  readonly reason: string
  readonly detail: string | undefined
  readonly provider: string | undefined
  readonly faultDetail: string | undefined
  readonly notUnderstood: string | undefined
  readonly status: CimInstance | undefined

  constructor(details: FaultDetails) {
    const code = details.providerCode ?? details.code
    const number = code === undefined ? '' : ` (0x${code.toString(16).padStart(8, '0')})`
    super(`${details.detail ?? (details.reason || 'the host tells no reason')}${number}`)
    this.kind = faultKind(details)
    this.code = details.code
    this.providerCode = details.providerCode
    this.cimStatus = details.cimStatus
    this.subcodes = details.subcodes
    this.soapCode = details.soapCode
    this.reason = details.reason
    this.detail = details.detail
    this.provider = details.provider
    this.faultDetail = details.faultDetail
    this.notUnderstood = details.notUnderstood
    this.status = details.status
  }
}

/** Subcodes inside one another; hosts send one. */
const SUBCODES_MAX = 8
/** Faults of WinRM inside one another; hosts send two. */
const NESTED_MAX = 8
/** Text of a fault that is kept. */
const TEXT_CHARACTERS_MAX = 4_096

/**
 * Reads `s:Fault`. A fault that says little is a fault all the same; one without `s:Code` is none, and throws
 * WsmanReplyError. Source: SOAP 1.2 Part 1, §5.4; DSP0226, "Faults"; MS-WSMV, "WSManFault" and "MSFT_WmiError".
 */
export function readFault(fault: XmlElement, header: XmlElement | undefined): WsmanFault {
  const code = fault.element('Code', NAMESPACE.s)
  if (code === undefined) throw garbage('a fault without a code')
  const detail = fault.element('Detail', NAMESPACE.s)
  const wsman = findInside(detail, 'WSManFault', NAMESPACE.f)
  const error = detail?.elements('MSFT_WmiError')[0]
  return new WsmanFault({
    soapCode: qualified(code.element('Value', NAMESPACE.s))?.name,
    subcodes: readSubcodes(code),
    reason: textOf(fault.element('Reason', NAMESPACE.s)?.element('Text', NAMESPACE.s)) ?? '',
    faultDetail: textOf(detail?.element('FaultDetail', NAMESPACE.w)),
    notUnderstood: header?.element('NotUnderstood', NAMESPACE.s)?.attribute('qname'),
    ...(error === undefined ? readWsmanFault(wsman) : readWmiError(error, wsman)),
  })
}

type Told = Pick<FaultDetails, 'code' | 'providerCode' | 'cimStatus' | 'detail' | 'provider' | 'status'>

/** WinRM's own account: its code, and under it that of the provider. */
function readWsmanFault(fault: XmlElement | undefined): Told {
  const provider = findInside(fault, 'ProviderFault', NAMESPACE.f)
  const inner = innermost(provider)
  const status = findInside(provider, 'ExtendedError', NAMESPACE.f)?.elements()[0]
  return {
    code: parseCode(fault?.attribute('Code')),
    providerCode: parseCode(inner?.attribute('Code')),
    cimStatus: undefined,
    detail: textOf(inner?.element('Message', NAMESPACE.f)) ?? textOf(fault?.element('Message', NAMESPACE.f)),
    provider: provider?.attribute('provider')?.trim(),
    status: status === undefined ? undefined : readInstance(status),
  }
}

/** What newer hosts tell instead, or beside. Its code may be one of another table, in which the numbers mean others. */
function readWmiError(element: XmlElement, fault: XmlElement | undefined): Told {
  const told = readWsmanFault(fault)
  const [type, number, status, message] = ['error_Type', 'error_Code', 'CIMStatusCode', 'Message'].map(name =>
    textOf(element.elements(name)[0]),
  )
  const code = type === undefined || type === 'HRESULT' ? parseCode(number) : undefined
  return {
    code: told.code ?? code,
    providerCode: told.providerCode ?? (told.code === undefined ? undefined : code),
    cimStatus: parseCode(status),
    detail: message ?? told.detail,
    provider: told.provider,
    status: readInstance(element),
  }
}

function innermost(provider: XmlElement | undefined): XmlElement | undefined {
  let found = findInside(provider, 'WSManFault', NAMESPACE.f)
  for (let depth = 0; depth < NESTED_MAX; depth++) {
    const inner = findInside(findInside(found, 'ProviderFault', NAMESPACE.f), 'WSManFault', NAMESPACE.f)
    if (inner === undefined) return found
    found = inner
  }
  return found
}

/** An element of `parent`, or of the `f:Message` in it. */
function findInside(parent: XmlElement | undefined, name: string, namespace: string): XmlElement | undefined {
  return parent?.element(name, namespace) ?? parent?.element('Message', NAMESPACE.f)?.element(name, namespace)
}

function readSubcodes(code: XmlElement): readonly FaultName[] {
  const names: FaultName[] = []
  let subcode = code.element('Subcode', NAMESPACE.s)
  for (let depth = 0; subcode !== undefined && depth < SUBCODES_MAX; depth++) {
    const name = qualified(subcode.element('Value', NAMESPACE.s))
    if (name !== undefined) names.push(name)
    subcode = subcode.element('Subcode', NAMESPACE.s)
  }
  return names
}

/** A name whose prefix nothing declares is in no namespace. */
function qualified(value: XmlElement | undefined): FaultName | undefined {
  const [name = '', prefix = ''] = value?.text().trim().split(':').toReversed() ?? []
  return name === '' ? undefined : { namespace: value?.namespaceOf(prefix) ?? '', name }
}

/** Codes are told in decimal; of one that is negative, the unsigned HRESULT is meant. */
function parseCode(text: string | undefined): number | undefined {
  const code = text === undefined ? undefined : parseSmallInteger(text)
  return code === undefined || code < -(2 ** 31) || code >= 2 ** 32 ? undefined : code >>> 0
}

/** The text of an element on one line; undefined where it is empty or there is no element. */
function textOf(element: XmlElement | undefined): string | undefined {
  const text = element?.text().replace(/\s+/g, ' ').trim().slice(0, TEXT_CHARACTERS_MAX)
  return text === undefined || text === '' ? undefined : text
}
