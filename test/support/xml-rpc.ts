/** A second implementation of XML-RPC, so that the server's own is not held against itself. Strict: no spelling is forgiven. */

import { asStruct, DateTime, type Value } from './value.ts'
import { childOf, type Element, escapeXml, parseXml } from './xml.ts'

/** A fault, which only a malformed request earns. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly code: bigint

  constructor(code: bigint, message: string) {
    super(message)
    this.code = code
  }
}

const INT_MAX = 2n ** 31n - 1n

/** A call as bytes of the wire. */
export function encodeCall(method: string, params: readonly Value[]): string {
  const list = params.map(param => `<param><value>${encodeValue(param)}</value></param>`).join('')
  return `<?xml version="1.0"?><methodCall><methodName>${escapeXml(method)}</methodName><params>${list}</params></methodCall>`
}

/** A value without the `<value>` round it. */
export function encodeValue(value: Value): string {
  if (typeof value === 'string') return `<string>${escapeXml(value)}</string>`
  if (typeof value === 'boolean') return `<boolean>${value ? 1 : 0}</boolean>`
  if (typeof value === 'number') return `<double>${value}</double>`
  if (typeof value === 'bigint')
    return value >= -INT_MAX && value <= INT_MAX ? `<int>${value}</int>` : `<i8>${value}</i8>`
  if (value instanceof DateTime) return `<dateTime.iso8601>${value.text}</dateTime.iso8601>`
  if (value instanceof Uint8Array) return `<base64>${Buffer.from(value).toString('base64')}</base64>`
  if (Array.isArray(value)) {
    return `<array><data>${value.map((element: Value) => `<value>${encodeValue(element)}</value>`).join('')}</data></array>`
  }
  const members = Object.entries(value).map(
    ([name, member]) => `<member><name>${escapeXml(name)}</name><value>${encodeValue(member)}</value></member>`,
  )
  return `<struct>${members.join('')}</struct>`
}

/** The value of a response. Throws Fault for a fault, TypeError for anything that the specification does not have. */
export function decodeResponse(document: string): Value {
  const root = parseXml(document)
  if (root.name !== 'methodResponse') throw new TypeError(`a response of <${root.name}>`)
  const [fault] = root.children.filter(child => child.name === 'fault')
  if (fault !== undefined) throw faultOf(decodeValue(childOf(fault, 'value')))
  return decodeValue(childOf(childOf(childOf(root, 'params'), 'param'), 'value'))
}

function faultOf(value: Value): Fault {
  const { faultCode, faultString } = asStruct(value)
  if (typeof faultCode !== 'bigint' || typeof faultString !== 'string')
    throw new TypeError('a fault without code and text')
  return new Fault(faultCode, faultString)
}

function decodeValue({ children, text }: Element): Value {
  const [typed, ...more] = children
  if (typed === undefined) throw new TypeError(`an untyped value, which the draft does not have: ${text}`)
  if (more.length > 0) throw new TypeError('a value of two types')
  switch (typed.name) {
    case 'string':
      return typed.text
    case 'boolean':
      return bit(typed.text)
    case 'int':
    case 'i4':
    case 'i8':
      return BigInt(typed.text)
    case 'double':
      return Number(typed.text)
    case 'dateTime.iso8601':
      return new DateTime(typed.text)
    case 'array':
      return childOf(typed, 'data').children.map(element => decodeValue(only(element, 'value')))
    case 'struct':
      return Object.fromEntries(typed.children.map(child => decodeMember(only(child, 'member'))))
    default:
      throw new TypeError(`a value of type <${typed.name}>`)
  }
}

function bit(text: string): boolean {
  if (text !== '0' && text !== '1') throw new TypeError(`a boolean of ${text}`)
  return text === '1'
}

const decodeMember = (member: Element): readonly [string, Value] => [
  childOf(member, 'name').text,
  decodeValue(childOf(member, 'value')),
]

function only(element: Element, name: string): Element {
  if (element.name !== name) throw new TypeError(`<${element.name}> where <${name}> belongs`)
  return element
}
