import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import { parseDuration } from './duration.ts'
import { type ElementNames, requireOnly } from './element-only.ts'
import { schemaFault, WsmanFault } from './fault.ts'
import { type Filter, readFilter } from './filter.ts'
import * as names from './names.ts'

export type EnumerationMode = 'object' | 'reference' | 'object-and-reference'
export type Polymorphism = 'include' | 'exclude' | 'none'

/** The body of an Enumerate, understood. */
export interface EnumerateBody {
  readonly mode: EnumerationMode
  readonly filter: Filter | undefined
  readonly polymorphism: Polymorphism | undefined
  /** Whether the answer may bring items already. */
  readonly isOptimized: boolean
}

/** The body of a Pull, understood. */
export interface PullBody {
  readonly context: string
  readonly maxElements: number
  readonly maxCharacters: number | undefined
  readonly maxTimeMs: number | undefined
}

const MODES: ReadonlyMap<string, EnumerationMode> = new Map([
  ['EnumerateEPR', 'reference'],
  ['EnumerateObjectAndEPR', 'object-and-reference'],
])
const POLYMORPHISM: ReadonlyMap<string, Polymorphism> = new Map([
  ['IncludeSubClassProperties', 'include'],
  ['ExcludeSubClassProperties', 'exclude'],
  ['None', 'none'],
])

/** What may stand in an Enumerate, by namespace. */
const ENUMERATE: ElementNames = new Map([
  [names.ENUMERATION, ['Filter', 'Expires', 'EndTo']],
  [names.WSMAN, ['Filter', 'EnumerationMode', 'OptimizeEnumeration', 'MaxElements']],
  [names.BINDING, ['PolymorphismMode']],
])
/** And in a Pull; clients write its numbers in either namespace. */
const PULL: ElementNames = new Map([
  [names.ENUMERATION, ['EnumerationContext', 'MaxTime', 'MaxElements', 'MaxCharacters']],
  [names.WSMAN, ['MaxElements', 'MaxTime', 'MaxCharacters']],
])
const RELEASE: ElementNames = new Map([[names.ENUMERATION, ['EnumerationContext']]])

/** Reads n:Enumerate. Throws WsmanFault. */
export function readEnumerate(body: readonly XmlElement[]): EnumerateBody {
  const enumerate = only(body, 'Enumerate')
  requireOnly(enumerate, ENUMERATE, { repeatable: ['Filter'] })
  if (enumerate.element('Expires') !== undefined) throw new WsmanFault('expiration-time')
  if (enumerate.element('EndTo') !== undefined) throw new WsmanFault('addressing-mode')
  const filters = enumerate.elements('Filter')
  if (filters.length > 1) throw new WsmanFault('cannot-process-filter')
  const maxElements = enumerate.element('MaxElements')
  // Its value means nothing: the answer to an Enumerate brings one item at most where there are more.
  if (maxElements !== undefined) readCount(maxElements)
  return {
    mode: readMode(enumerate.element('EnumerationMode')),
    filter: filters[0] === undefined ? undefined : readFilter(filters[0]),
    polymorphism: readPolymorphism(enumerate.element('PolymorphismMode')),
    isOptimized: isPresent(enumerate.element('OptimizeEnumeration')),
  }
}

/** Reads n:Pull. Throws WsmanFault. */
export function readPull(body: readonly XmlElement[]): PullBody {
  const pull = only(body, 'Pull')
  requireOnly(pull, PULL)
  const maxTime = pull.element('MaxTime')
  const maxCharacters = pull.element('MaxCharacters')
  const maxElements = pull.element('MaxElements')
  const maxTimeMs = maxTime === undefined ? undefined : parseDuration(maxTime.text())
  if (maxTime !== undefined && maxTimeMs === undefined)
    throw schemaFault('MaxTime', 'no duration', '期間ではありません')
  return {
    context: readContext(pull),
    // Without a number one item comes at a time. Source: DSP0226, §8.7.
    maxElements: maxElements === undefined ? 1 : readCount(maxElements),
    maxCharacters: maxCharacters === undefined ? undefined : readCount(maxCharacters),
    maxTimeMs,
  }
}

/** Reads n:Release. Throws WsmanFault. */
export function readRelease(body: readonly XmlElement[]): string {
  const release = only(body, 'Release')
  requireOnly(release, RELEASE)
  return readContext(release)
}

function only(body: readonly XmlElement[], name: string): XmlElement {
  const [element, ...others] = body
  if (element?.name === name && element.namespace === names.ENUMERATION && others.length === 0) return element
  throw schemaFault('Body', `not one ${name}`, `${name} ではありません`)
}

const CONTEXT_LENGTH_MAX = 256

function readContext(element: XmlElement): string {
  const context = element.element('EnumerationContext', names.ENUMERATION)
  if (context === undefined) throw schemaFault(element.name, 'without a context', 'コンテキストがありません')
  const text = context.text().trim()
  if (text === '' || text.length > CONTEXT_LENGTH_MAX) throw new WsmanFault('invalid-context')
  return text
}

/** Source: XML Schema Part 2, §3.3.25 (positiveInteger). */
function readCount(element: XmlElement): number {
  const text = element.text().trim()
  const count = /^\+?\d{1,15}$/.test(text) ? Number(text) : 0
  if (count < 1) throw schemaFault(element.name, 'not a positive number', '正の整数ではありません')
  return count
}

/** Of an element that says all by being there. */
function isPresent(element: XmlElement | undefined): boolean {
  if (element === undefined) return false
  requireOnly(element, NOTHING)
  return true
}

const NOTHING: ElementNames = new Map()

function readMode(element: XmlElement | undefined): EnumerationMode {
  if (element === undefined) return 'object'
  const mode = MODES.get(element.text().trim())
  if (mode === undefined) throw new WsmanFault('enumeration-mode')
  return mode
}

function readPolymorphism(element: XmlElement | undefined): Polymorphism | undefined {
  if (element === undefined) return undefined
  const mode = POLYMORPHISM.get(element.text().trim())
  if (mode === undefined) throw new WsmanFault('polymorphism-mode')
  return mode
}
