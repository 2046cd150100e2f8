import { keysOf } from './instance.ts'
import type { CimClass, Instance, Schema } from './model.ts'
import type { ObjectName } from './provider.ts'

// Object paths of WMI, as they stand in queries, in references and in string properties such as HostResource:
//   \\HOST\root\virtualization\v2:Msvm_ComputerSystem.CreationClassName="Msvm_ComputerSystem",Name="…"
// Read as leniently as clients write them, printed as Windows prints them.
// Source: Microsoft Learn, "Describing a WMI Object Path".

/** A path to an instance, or to a class when it has no keys and is no singleton's. */
export interface ObjectPath extends ObjectName {
  /** As it was spelled: a NetBIOS or DNS name, or `.`; absent in a relative path. */
  readonly host?: string
  /** With backslashes, the case as it was spelled; absent in a relative path. */
  readonly namespace?: string
  /** Spelled `Class=@`: the one instance of a singleton. */
  readonly isSingleton?: boolean
}

/** The name under which a key stands that was given as `Class="value"`, for the only key a class has. */
export const UNNAMED_KEY = ''

/** Longer paths are none; a name holds less than 4 KiB, and a path may hold two paths with everything doubled. */
const PATH_MAX = 32_768
const KEYS_MAX = 32

const CLASS_NAME = /^[A-Za-z_]\w*$/
const PLACE = /^[^\\/:*?"<>|\p{Cc}]+$/u
const KEY_NAME = /[A-Za-z_]\w*/y
/** A key that is a number or a truth value stands without quotes. */
const BARE_VALUE = /[^\s,"'\\]+/y

interface Options {
  /** Refuses a backslash in a key's value that is not doubled and escapes no quote, as Hyper-V's own methods do. */
  readonly isStrict?: boolean
}

/**
 * Reads a path. Host and namespace may be left out, slashes lean either way, keys stand in any order and quotes;
 * a backslash in a key's value may be doubled or not. Undefined for what is no path.
 */
export function parsePath(text: string, { isStrict = false }: Options = {}): ObjectPath | undefined {
  if (text.length > PATH_MAX) return undefined
  const place = readPlace(text)
  if (place === undefined) return undefined
  const relative = text.slice(place.end).trim()
  const end = relative.search(/[.=]/)
  const className = end === -1 ? relative : relative.slice(0, end)
  if (!CLASS_NAME.test(className)) return undefined
  const where = {
    ...(place.host === undefined ? {} : { host: place.host }),
    ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
  }
  if (end === -1) return { ...where, className, keys: new Map() }
  if (relative.slice(end) === '=@') return { ...where, className, keys: new Map(), isSingleton: true }
  const isUnnamed = relative[end] === '='
  const keys = readKeys(relative, isUnnamed ? end : end + 1, isUnnamed, isStrict)
  return keys === undefined ? undefined : { ...where, className, keys }
}

/** Where the host, the namespace and the colon behind them end. */
function readPlace(
  text: string,
): { readonly host?: string; readonly namespace?: string; readonly end: number } | undefined {
  // A quote begins a value: what stands behind one is never part of the place.
  const quote = text.search(/["']/)
  const colon = text.indexOf(':')
  if (colon === -1 || (quote !== -1 && quote < colon)) return { end: 0 }
  const parts = text.slice(0, colon).split(/[\\/]+/)
  const isRooted = parts[0] === ''
  if (isRooted) parts.shift()
  // Half of the backslashes are lost where a client did not double them in a query: `\HOST\root` is a host as well.
  const hasHost = isRooted && parts[0]?.toLowerCase() !== 'root'
  const host = hasHost ? parts.shift() : undefined
  if (parts.length === 0 || parts.some(part => !PLACE.test(part)) || (hasHost && !PLACE.test(host ?? '')))
    return undefined
  return { ...(host === undefined ? {} : { host }), namespace: parts.join('\\'), end: colon + 1 }
}

function readKeys(
  text: string,
  start: number,
  isUnnamed: boolean,
  isStrict: boolean,
): ReadonlyMap<string, string> | undefined {
  const keys = new Map<string, string>()
  let at = start
  while (keys.size < KEYS_MAX) {
    const name = isUnnamed ? UNNAMED_KEY : matchAt(KEY_NAME, text, skipSpace(text, at))
    if (name === undefined) return undefined
    const equals = isUnnamed ? at : skipSpace(text, skipSpace(text, at) + name.length)
    if (text[equals] !== '=' || hasKey(keys, name)) return undefined
    const value = readValue(text, skipSpace(text, equals + 1), isStrict)
    if (value === undefined) return undefined
    keys.set(name, value.text)
    at = skipSpace(text, value.end)
    if (at === text.length) return keys
    if (text[at] !== ',' || isUnnamed) return undefined
    at++
  }
  return undefined
}

function hasKey(keys: ReadonlyMap<string, string>, name: string): boolean {
  return [...keys.keys()].some(key => key.toLowerCase() === name.toLowerCase())
}

function readValue(
  text: string,
  start: number,
  isStrict: boolean,
): { readonly text: string; readonly end: number } | undefined {
  const quote = text[start]
  if (quote !== '"' && quote !== "'") {
    const bare = matchAt(BARE_VALUE, text, start)
    return bare === undefined ? undefined : { text: bare, end: start + bare.length }
  }
  let value = ''
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at]
    if (character === quote) return { text: value, end: at + 1 }
    if (character === '\\' && /["'\\]/.test(text[at + 1] ?? '')) value += text[++at]
    else if (character === '\\' && isStrict) return undefined
    else value += character
  }
  return undefined
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t') at++
  return at
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

/**
 * A path as Windows prints it: keys in alphabetical order, backslashes and quotes in their values escaped. With the
 * class at hand, numbers and truth values stand without quotes.
 */
export function printPath(path: ObjectPath, cls?: CimClass): string {
  const keys = [...path.keys].sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
  const printed = keys.map(([name, value]) => `${name}=${printValue(value, cls?.property(name)?.type)}`)
  let relative: string = path.className
  if (printed.length > 0) relative += `${path.keys.has(UNNAMED_KEY) ? '' : '.'}${printed.join(',')}`
  else if (path.isSingleton === true) relative += '=@'
  const place = path.namespace === undefined ? '' : `${path.namespace}:`
  return path.host === undefined ? place + relative : `\\\\${path.host}\\${place}${relative}`
}

function printValue(value: string, type: string | undefined): string {
  const isBare = type !== undefined && type !== 'string' && type !== 'reference' && type !== 'datetime'
  return isBare ? value : `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** The name of an instance: what is left of its path without host and namespace. */
export function nameOf(instance: Instance): ObjectName {
  return { className: instance.class.name, keys: keysOf(instance) }
}

/** The full path of an instance, as Windows prints it. */
export function pathOf(instance: Instance, host: string, namespace: string): string {
  const isSingleton = instance.class.isSingleton
  return printPath({ ...nameOf(instance), host, namespace, isSingleton }, instance.class)
}

/**
 * Whether two names mean one instance: the same keys, whatever the case, of classes that are the same or derive one
 * from the other, since a path may name a superclass. Keys that are references are compared by what they mean.
 */
export function sameName(a: ObjectName, b: ObjectName, schema: Schema): boolean {
  if (!schema.isA(a.className, b.className) && !schema.isA(b.className, a.className)) return false
  if (a.keys.size !== b.keys.size) return false
  const cls = schema.find(a.className)
  const others = namedKeys(b, cls)
  for (const [name, value] of namedKeys(a, cls)) {
    const other = others.get(name)
    if (other === undefined || !sameKey(value, other, cls?.property(name)?.type === 'reference', schema)) return false
  }
  return true
}

/** Whether two values of one key are the same, whatever the case; two paths are compared by what they mean. */
export function sameKey(a: string, b: string, isReference: boolean, schema: Schema): boolean {
  if (a === b || a.toLowerCase() === b.toLowerCase()) return true
  if (!isReference) return false
  const [first, second] = [parsePath(a), parsePath(b)]
  return first !== undefined && second !== undefined && sameName(first, second, schema)
}

/**
 * Keys by the schema's spelling of their names, in its order; undefined unless they are all the keys of the class and
 * nothing else. A singleton needs none.
 */
export function spellKeys(cls: CimClass, keys: ReadonlyMap<string, string>): ReadonlyMap<string, string> | undefined {
  if (cls.isSingleton && keys.size === 0) return new Map()
  const given = namedKeys({ className: cls.name, keys }, cls)
  const spelled = new Map<string, string>()
  for (const { name, isKey } of cls.properties) {
    const value = isKey ? given.get(name.toLowerCase()) : undefined
    if (value !== undefined) spelled.set(name, value)
    else if (isKey) return undefined
  }
  return spelled.size === keys.size ? spelled : undefined
}

/** Keys by their name in lower case; the unnamed one by that of the only key of the class. */
function namedKeys({ keys }: ObjectName, cls: CimClass | undefined): ReadonlyMap<string, string> {
  return new Map(
    [...keys].map(([name, value]) => [(name === UNNAMED_KEY ? onlyKeyOf(cls) : name).toLowerCase(), value]),
  )
}

function onlyKeyOf(cls: CimClass | undefined): string {
  const keys = cls?.properties.filter(property => property.isKey) ?? []
  return keys.length === 1 ? (keys[0]?.name ?? UNNAMED_KEY) : UNNAMED_KEY
}
