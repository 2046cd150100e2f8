import { escapeAttribute, escapeText } from '../../../src/wire/xml/write.ts'

// Requests as the clients in the field write them, made by hand: no code of our own client's.

const WMI = 'http://schemas.microsoft.com/wbem/wsman/1/wmi'
const TRANSFER = 'http://schemas.xmlsoap.org/ws/2004/09/transfer'
const ENUMERATION = 'http://schemas.xmlsoap.org/ws/2004/09/enumeration'
const ANONYMOUS = 'http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous'
const WQL = 'http://schemas.microsoft.com/wbem/wsman/1/WQL'

export interface RequestParts {
  readonly messageId?: string
  /** With slashes. */
  readonly namespace?: string
  /** Instead of that of the class. */
  readonly resourceUri?: string
  readonly action?: string
  readonly selectors?: Readonly<Record<string, string>>
  /** Of a Pull or Release. */
  readonly context?: string
  /** Of a Pull. */
  readonly maxElements?: number
  /** Of an Enumerate. */
  readonly wql?: string
  readonly isOptimized?: boolean
  /** What else stands in an Enumerate or a Pull, or the parameters of a method, written. */
  readonly input?: string
  /** Further headers, written. */
  readonly headers?: string
  /** Instead of the body that the operation has. */
  readonly body?: string
}

/** A request: of a transfer or an enumeration, or a call of the method of that name. */
export function makeRequest(operation: string, className: string, parts: RequestParts = {}): string {
  const { namespace = 'root/virtualization/v2', messageId = 'uuid:5CD9B0A5-6E0B-4F2B-8A0C-000000000001' } = parts
  const uri = parts.resourceUri ?? `${WMI}/${namespace}/${parts.wql === undefined ? className : '*'}`
  const selectors = Object.entries(parts.selectors ?? {}).map(
    ([name, value]) => `<w:Selector Name="${escapeAttribute(name)}">${escapeText(value)}</w:Selector>`,
  )
  return makeEnvelope(
    `<a:To>http://127.0.0.1:5985/wsman</a:To><w:ResourceURI s:mustUnderstand="true">${escapeText(uri)}</w:ResourceURI>` +
      `<a:ReplyTo><a:Address s:mustUnderstand="true">${ANONYMOUS}</a:Address></a:ReplyTo>` +
      `<a:Action s:mustUnderstand="true">${parts.action ?? actionOf(operation, uri)}</a:Action>` +
      `<a:MessageID>${messageId}</a:MessageID>${parts.headers ?? ''}${
        selectors.length === 0 ? '' : `<w:SelectorSet>${selectors.join('')}</w:SelectorSet>`
      }`,
    parts.body ?? bodyOf(operation, uri, parts),
  )
}

export function makeEnvelope(headers: string, body: string): string {
  return (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"' +
    ` xmlns:n="${ENUMERATION}" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"` +
    ' xmlns:m="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"' +
    ' xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"' +
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common">' +
    `<s:Header>${headers}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  )
}

/** An endpoint reference as it stands directly in a parameter. */
export function reference(
  className: string,
  keys: Readonly<Record<string, string>>,
  namespace = 'root/virtualization/v2',
) {
  const selectors = Object.entries(keys).map(([name, value]) => `<w:Selector Name="${name}">${value}</w:Selector>`)
  return (
    `<a:Address>${ANONYMOUS}</a:Address><a:ReferenceParameters><w:ResourceURI>${WMI}/${namespace}/${className}` +
    `</w:ResourceURI><w:SelectorSet>${selectors.join('')}</w:SelectorSet></a:ReferenceParameters>`
  )
}

const TRANSFERS = ['Get', 'Put', 'Create', 'Delete']
const ENUMERATIONS = ['Enumerate', 'Pull', 'Release', 'Renew', 'GetStatus']

function actionOf(operation: string, uri: string): string {
  if (TRANSFERS.includes(operation)) return `${TRANSFER}/${operation}`
  return `${ENUMERATIONS.includes(operation) ? ENUMERATION : uri}/${operation}`
}

function bodyOf(operation: string, uri: string, parts: RequestParts): string {
  const { context = '', input = '' } = parts
  if (TRANSFERS.includes(operation)) return input
  if (operation === 'Enumerate') {
    const filter = parts.wql === undefined ? '' : `<w:Filter Dialect="${WQL}">${escapeText(parts.wql)}</w:Filter>`
    return `<n:Enumerate>${parts.isOptimized === true ? '<w:OptimizeEnumeration/>' : ''}${filter}${input}</n:Enumerate>`
  }
  if (ENUMERATIONS.includes(operation)) {
    const maxElements = parts.maxElements === undefined ? '' : `<n:MaxElements>${parts.maxElements}</n:MaxElements>`
    const inner = `<n:EnumerationContext>${context}</n:EnumerationContext>${maxElements}${input}`
    return `<n:${operation}>${inner}</n:${operation}>`
  }
  return `<p:${operation}_INPUT xmlns:p="${escapeAttribute(uri)}">${input}</p:${operation}_INPUT>`
}
