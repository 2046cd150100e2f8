import { EndpointReference } from './endpoint-reference.ts'
import { CimError } from './error.ts'
import { REFERENCE_DEPTH_MAX } from './limits.ts'
import { classUri, normalizeNamespace, requireName } from './resource.ts'

/** A longer path is none; keys hold identifiers and file names. */
const PATH_CHARACTERS_MAX = 32_768

/**
 * An instance as WMI itself names it, `\\HOST\root\virtualization\v2:Class.Key="value"`: what hosts put in string
 * properties such as `Parent` and `HostResource`, and expect there.
 */
export interface ObjectPath {
  readonly host?: string
  /** With slashes. */
  readonly namespace?: string
  readonly className: string
  /** In the order of the path. Of the only instance of its class, empty. */
  readonly keys: ReadonlyMap<string, string | number | bigint | boolean>
}

/**
 * `path` as WMI prints it: keys in alphabetical order, strings in double quotes, backslashes and quotes inside them with
 * a backslash before. Throws CimError for names that are none. Source: Microsoft Learn, "WMI object path requirements".
 */
export function printObjectPath(path: ObjectPath): string {
  const keys = [...path.keys].toSorted(([one], [other]) => compareNames(one, other))
  const printed = keys.map(([name, value]) => `${requireName(name)}=${printKey(value)}`)
  const object = `${requireName(path.className)}${printed.length === 0 ? '=@' : `.${printed.join(',')}`}`
  if (path.namespace === undefined) return object
  const namespace = normalizeNamespace(path.namespace).replaceAll('/', '\\')
  if (path.host === undefined) return `${namespace}:${object}`
  if (!/^[\w.-]+$/.test(path.host)) throw new CimError(`${JSON.stringify(path.host)} is no name of a host`)
  return `\\\\${path.host}\\${namespace}:${object}`
}

/**
 * The path of what `to` refers to, without host and namespace: how queries name it. Where a key is itself a reference,
 * its value is the path of that, as text. Throws CimError where `to` is no object of WMI.
 */
export function relativePath(to: EndpointReference, depth = 0): ObjectPath {
  if (depth > REFERENCE_DEPTH_MAX) throw new CimError(`references more than ${REFERENCE_DEPTH_MAX} deep`)
  const keys = [...to.selectors].map(([name, value]): [string, string | number | bigint | boolean] => {
    if (!(value instanceof EndpointReference)) return [name, value]
    const inner = relativePath(value, depth + 1)
    return [name, printObjectPath(value.namespace === undefined ? inner : { ...inner, namespace: value.namespace })]
  })
  return { className: to.className, keys: new Map(keys) }
}

/** The path that names on `host` what `to` refers to. Throws CimError where `to` is no object of WMI. */
export function objectPath(to: EndpointReference, host: string): string {
  if (to.namespace === undefined) throw new CimError(`${to.resourceUri} is no class of WMI`)
  return printObjectPath({ ...relativePath(to), host, namespace: to.namespace })
}

/** The reference to what a path names; where the path has no namespace, it is in `namespace`. */
export function referenceTo(path: ObjectPath, namespace: string): EndpointReference {
  return new EndpointReference(classUri(path.namespace ?? namespace, path.className), path.keys)
}

const HEAD =
  /^(?:(?:\\\\|\/\/)(?<host>[^\\/:"']+)[\\/](?=[^:"']*:))?(?:(?<namespace>[A-Za-z_][\w.-]*(?:[\\/][A-Za-z_][\w.-]*)*):)?(?<className>[A-Za-z_]\w*)/
const KEY =
  /\s*(?<name>[A-Za-z_]\w*)\s*=\s*(?:"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>(?:[^'\\]|\\.)*)'|(?<number>[+-]?\d{1,20})|(?<truth>true|false))\s*(?<more>,?)/isy

/** Reads a path, with or without host and namespace, slashes and quotes of either kind. Undefined where `text` is none. */
export function parseObjectPath(text: string): ObjectPath | undefined {
  if (text.length > PATH_CHARACTERS_MAX) return undefined
  const head = HEAD.exec(text)
  const { host, namespace, className } = head?.groups ?? {}
  if (head === null || className === undefined) return undefined
  const rest = text.slice(head[0].length)
  const keys =
    rest === '' || rest === '=@' ? new Map<string, string>() : rest.startsWith('.') ? readKeys(rest) : undefined
  if (keys === undefined) return undefined
  return {
    ...(host !== undefined && { host }),
    ...(namespace !== undefined && { namespace: namespace.replaceAll('\\', '/') }),
    className,
    keys,
  }
}

/** Reads what follows the first character of `text`, the dot. */
function readKeys(text: string): Map<string, string | number | bigint | boolean> | undefined {
  const keys = new Map<string, string | number | bigint | boolean>()
  const pattern = new RegExp(KEY.source, KEY.flags)
  pattern.lastIndex = 1
  for (let isMore = true; isMore; ) {
    const groups = pattern.exec(text)?.groups
    const name = groups?.['name']
    if (groups === undefined || name === undefined || keys.has(name)) return undefined
    keys.set(name, readKey(groups))
    isMore = groups['more'] === ','
    if (!isMore && pattern.lastIndex !== text.length) return undefined
  }
  return keys
}

function readKey(groups: Readonly<Record<string, string | undefined>>): string | bigint | boolean {
  const quoted = groups['double'] ?? groups['single']
  if (quoted !== undefined) return quoted.replace(/\\(.)/gs, '$1')
  const { number, truth } = groups
  return number === undefined ? truth?.toLowerCase() === 'true' : BigInt(number)
}

function printKey(value: string | number | bigint | boolean): string {
  if (typeof value === 'string') return `"${value.replace(/[\\"]/g, '\\$&')}"`
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new CimError('a key that is no whole number')
  return String(value).toUpperCase()
}

function compareNames(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()]
  return a < b ? -1 : a > b ? 1 : 0
}
