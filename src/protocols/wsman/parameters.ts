import { Buffer } from 'node:buffer'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { CimInterval, CimTimestamp } from './datetime.ts'
import { EndpointReference, writeReference } from './endpoint-reference.ts'
import { CimError } from './error.ts'
import { CimInstance } from './instance.ts'
import { requireName } from './resource.ts'

/**
 * One value of a parameter: a simple one; an endpoint reference; or an instance, which is sent as CIM-XML.
 * Numbers are whole unless the parameter is a real one, which the caller knows.
 */
export type Argument = string | number | bigint | boolean | CimTimestamp | CimInterval | EndpointReference | CimInstance

/**
 * What a parameter is given: a value; several, for an array of any of the kinds; bytes, which are sent in base64 (give
 * numbers to have them sent one by one); null, which is said; or undefined, which is left out.
 */
export type Arguments = Readonly<Record<string, Argument | readonly Argument[] | Uint8Array | null | undefined>>

/**
 * Writes parameters, or the properties of an instance, with the prefix `p`, in the order in which they are given. An
 * array is an element for each item, an empty one nothing. Throws CimError for names that are none.
 * Source: DSP0230, "Method-to-element mapping"; Microsoft Learn, "Method parameters".
 */
export function writeParameters(values: Arguments): XmlOutput[] {
  return Object.entries(values).flatMap(([name, value]): XmlOutput[] => {
    const element = `p:${requireName(name)}`
    if (value === undefined) return []
    if (value === null) return [{ name: element, attributes: { 'xsi:nil': 'true' } }]
    if (value instanceof Uint8Array) return [{ name: element, children: [Buffer.from(value).toString('base64')] }]
    return items(value).map(item => ({ name: element, children: writeArgument(name, item) }))
  })
}

function items(value: Argument | readonly Argument[]): readonly Argument[] {
  return isArray(value) ? value : [value]
}

function isArray(value: Argument | readonly Argument[]): value is readonly Argument[] {
  return Array.isArray(value)
}

function writeArgument(name: string, value: Argument): (XmlOutput | string)[] {
  if (value instanceof EndpointReference) return writeReference(value)
  if (value instanceof CimInstance) return [value.toCimXml()]
  if (value instanceof CimTimestamp) return [{ name: 'cim:Datetime', children: [value.toIso()] }]
  if (value instanceof CimInterval) return [{ name: 'cim:Interval', children: [value.toIso()] }]
  if (typeof value === 'number' && !Number.isFinite(value)) throw new CimError(`${name} is no finite number`)
  const text = String(value)
  return text === '' ? [] : [text]
}
