import { escapeAttribute, escapeText, isWritable } from '../../../src/wire/xml/write.ts'
import type { Locale } from '../host/texts.ts'
import { bodyOf, type HostFacts, openEnvelope } from './envelope.ts'
import type { ExtendedStatus, WsmanFault } from './fault.ts'
import type { FaultRow } from './fault-table.ts'
import { FAULT_TEXTS, type Sentence } from './fault-texts.ts'
import { isStack3 } from './limits.ts'
import * as names from './names.ts'

/** What a fault needs to know of the request that it answers. */
export interface FaultContext {
  readonly messageId: string | undefined
  /** The host of the request's a:To, which Windows repeats as the machine. */
  readonly machine: string
}

const FAULT_ACTIONS: Readonly<Record<string, string>> = {
  '': `${names.ADDRESSING}/fault`,
  a: `${names.ADDRESSING}/fault`,
  n: `${names.ENUMERATION}/fault`,
  x: `${names.TRANSFER}/fault`,
  w: 'http://schemas.dmtf.org/wbem/wsman/1/wsman/fault',
}

/** Writes a fault as the host's build does: HTTP 500 goes with all of them. */
export function writeFault(host: HostFacts, fault: WsmanFault, context: FaultContext): string {
  const row = formOf(host, fault)
  const language = host.locale
  const prefix = row.subcode.includes(':') ? row.subcode.slice(0, row.subcode.indexOf(':')) : ''
  // Both recorded faults of this kind relate to nothing: WinRM has not read the headers by then.
  const relatesTo = row.origin === 'quota' ? undefined : context.messageId
  const action = FAULT_ACTIONS[prefix] ?? `${names.ADDRESSING}/fault`
  const header = fault.options.notUnderstood === undefined ? '' : writeNotUnderstood(fault.options.notUnderstood)
  const upgrade =
    row.who === 'VersionMismatch' ? '<s:Upgrade><s:SupportedEnvelope qname="s:Envelope"/></s:Upgrade>' : ''
  const subcode = row.subcode === '' ? '' : `<s:Subcode><s:Value>${row.subcode}</s:Value></s:Subcode>`
  const reason = `<s:Text xml:lang="${language}">${escapeText(textIn(FAULT_TEXTS[fault.fault], language))}</s:Text>`
  return (
    openEnvelope(host, 'fault', { action, relatesTo, more: header + upgrade }) +
    bodyOf(
      `<s:Fault><s:Code><s:Value>s:${row.who}</s:Value>${subcode}</s:Code><s:Reason>${reason}</s:Reason>${
        row.who === 'MustUnderstand' ? '' : `<s:Detail>${writeDetail(host, fault, row, context)}</s:Detail>`
      }</s:Fault>`,
    )
  )
}

/** Newer stacks blame themselves for a quota. Source: both were recorded. */
function formOf(host: HostFacts, { row }: WsmanFault): FaultRow {
  if (row.origin !== 'quota' || !isStack3(host.build)) return row
  return { ...row, who: 'Receiver', subcode: 'w:InternalError' }
}

function writeDetail(host: HostFacts, fault: WsmanFault, row: FaultRow, { machine }: FaultContext): string {
  const uri = row.detail === '' ? '' : `<w:FaultDetail>${names.FAULT_DETAIL}/${row.detail}</w:FaultDetail>`
  const dialects = fault.options.dialects?.map(each => `<n:SupportedDialect>${each}</n:SupportedDialect>`) ?? []
  const details = uri + dialects.join('')
  const text = textIn(fault.options.message ?? FAULT_TEXTS[fault.fault], host.locale)
  const isNew = isStack3(host.build)
  if ((row.origin === 'provider' || row.origin === 'quota') && isNew) return details + writeWmiError(fault.code, text)
  if (row.origin === 'service' || row.origin === 'quota') {
    return details + writeWsmanFault(fault.code, machine, `<f:Message>${writeText(text)}</f:Message>`)
  }
  const inner = writeWsmanFault(fault.code, host.name, `<f:Message>${writeText(text)}</f:Message>`)
  const { extended } = fault.options
  const status = extended === undefined ? '' : `<f:ExtendedError>${writeStatus(extended)}</f:ExtendedError>`
  const plugin = 'provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll"'
  const outer = `<f:Message><f:ProviderFault ${plugin}>${inner}${status}</f:ProviderFault></f:Message>`
  return details + writeWsmanFault(fault.code, machine, outer)
}

function writeWsmanFault(code: number, machine: string, content: string): string {
  const attributes = `xmlns:f="${names.WSMAN_FAULT}" Code="${code}" Machine="${escapeAttribute(machine)}"`
  return `<f:WSManFault ${attributes}>${content}</f:WSManFault>`
}

/** Source: faults of a Server 2008 R2, recorded; `StatusCode` was nil in all of them. */
function writeStatus({ operation, parameters, namespace }: ExtendedStatus): string {
  const uri = `${names.WMI_URI}${namespace.replaceAll('\\', '/')}/__ExtendedStatus`
  return (
    `<p:__ExtendedStatus xmlns:xsi="${names.SCHEMA_INSTANCE}" xmlns:p="${uri}" xmlns:cim="${names.CIM}"` +
    ` xsi:type="p:__ExtendedStatus_Type"><p:Description xsi:nil="true"/><p:Operation>${operation}</p:Operation>` +
    `<p:ParameterInfo>${writeText(parameters)}</p:ParameterInfo><p:ProviderName>WinMgmt</p:ProviderName>` +
    '<p:StatusCode xsi:nil="true"/></p:__ExtendedStatus>'
  )
}

/** CIMStatusCode (an MI_Result) and error_Category (of PowerShell) by code. Source: mi.h; System.Management.Automation. */
const RESULTS: Readonly<Record<number, readonly [status: number, category: number]>> = {
  0x803381a6: [27, 30],
  0x8033801a: [5, 13],
  0x80041002: [6, 13],
  0x80338102: [7, 11],
  0x8004102e: [17, 13],
  0x8004102f: [4, 5],
  0x80041008: [4, 5],
  0x80041055: [16, 11],
}
const FAILED = [1, 0] as const

/** Source: faults of a Server 2012 and newer, recorded. */
function writeWmiError(code: number, text: string): string {
  const [status, category] = RESULTS[code] ?? FAILED
  const message = writeText(text)
  const uri = 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError'
  const nil = (name: string) => `<p:${name} xsi:type="cim:cimString" xsi:nil="true"/>`
  const zero = (name: string) => `<p:${name} xsi:type="cim:cimUnsignedShort">0</p:${name}>`
  const given = (name: string, type: string, value: string) => `<p:${name} xsi:type="cim:${type}">${value}</p:${name}>`
  return [
    `<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:xsi="${names.SCHEMA_INSTANCE}" xmlns:b="${names.BINDING}"`,
    ` xmlns:p="${uri}" xmlns:cim="${names.CIM}" xsi:type="p:MSFT_WmiError_Type">`,
    given('CIMStatusCode', 'cimUnsignedInt', String(status)),
    nil('CIMStatusCodeDescription') + nil('ErrorSource') + zero('ErrorSourceFormat') + zero('ErrorType'),
    given('Message', 'cimString', message),
    given('MessageID', 'cimString', `HRESULT 0x${code.toString(16).padStart(8, '0')}`),
    nil('OtherErrorSourceFormat') + nil('OtherErrorType') + nil('OwningEntity'),
    zero('PerceivedSeverity') + zero('ProbableCause') + nil('ProbableCauseDescription'),
    given('error_Category', 'cimUnsignedInt', String(category)),
    given('error_Code', 'cimUnsignedInt', String(code)),
    given('error_Type', 'cimString', 'HRESULT'),
    given('error_WindowsErrorMessage', 'cimString', message),
    '</p:MSFT_WmiError>',
  ].join('')
}

function writeNotUnderstood(header: { prefix: string; name: string; namespace: string }): string {
  if (header.namespace === '') return `<s:NotUnderstood qname="${header.name}"/>`
  const prefix = header.prefix === '' ? 'h' : header.prefix
  const namespace = escapeAttribute(header.namespace)
  return `<s:NotUnderstood qname="${prefix}:${header.name}" xmlns:${prefix}="${namespace}"/>`
}

/** A fault is written whatever it has to say: what no XML can carry is replaced. */
function writeText(text: string): string {
  if (isWritable(text)) return escapeText(text)
  return escapeText(Array.from(text, character => (isWritable(character) ? character : '\ufffd')).join(''))
}

function textIn(text: Sentence, language: Locale): string {
  return language === 'ja-JP' ? text.ja : text.en
}
