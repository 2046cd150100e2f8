import { refuse, WsmanFault } from './fault.ts'
import * as names from './names.ts'
import type { Selector } from './selector.ts'

/** What a resource URI leads to. */
export interface Resource {
  /** With backslashes and in lower case, as schemas name theirs: `root\virtualization\v2`. */
  readonly namespace: string
  /** As the URI spells it; `*` for any class of the namespace. */
  readonly className: string
  /** The selectors that are keys: all but that which names the namespace. */
  readonly keys: readonly Selector[]
}

const CLASS = /^(\*|[A-Za-z_][A-Za-z0-9_]*)$/
const NAMESPACE = /^root(\/[A-Za-z0-9_.-]+)*$/i
/** Where DMTF's classes are looked for when no selector says it. */
const DMTF_NAMESPACE = 'root\\cimv2'

/** Reads a resource URI with its selectors. Throws WsmanFault. */
export function readResource(uri: string, selectors: readonly Selector[]): Resource {
  const keys = selectors.filter(({ name }) => !isNamespaceSelector(name))
  const named = readNamespaceSelector(selectors)
  const plain = uri.replace(/\/+$/, '')
  if (startsWith(plain, names.WMI_URI)) {
    const rest = plain.slice(names.WMI_URI.length)
    const slash = rest.lastIndexOf('/')
    const [path, className] = [rest.slice(0, Math.max(slash, 0)), rest.slice(slash + 1)]
    if (!CLASS.test(className) || !NAMESPACE.test(path)) throw new WsmanFault('resource-uri')
    const namespace = path.toLowerCase().replaceAll('/', '\\')
    if (named !== undefined && named !== namespace) throw new WsmanFault('namespace-selector')
    return { namespace, className, keys }
  }
  if (!startsWith(plain, names.DMTF_URI)) throw new WsmanFault('resource-uri')
  const className = plain.slice(names.DMTF_URI.length)
  if (!CLASS.test(className)) throw new WsmanFault('resource-uri')
  if (className !== '*' && !/^cim_/i.test(className)) throw new WsmanFault('non-dmtf-class')
  return { namespace: named ?? DMTF_NAMESPACE, className, keys }
}

/** Source: DSP0227, §5.1. */
function isNamespaceSelector(name: string): boolean {
  return name.toLowerCase() === '__cimnamespace'
}

function readNamespaceSelector(selectors: readonly Selector[]): string | undefined {
  const value = selectors.find(({ name }) => isNamespaceSelector(name))?.value
  if (value === undefined) return undefined
  const path = typeof value === 'string' ? value.trim().replaceAll('\\', '/').replace(/^\/+/, '') : ''
  if (!NAMESPACE.test(path)) {
    throw refuse('namespace-selector', '__cimnamespace names no namespace.', '__cimnamespace が無効です。')
  }
  return path.toLowerCase().replaceAll('/', '\\')
}

/** URIs are told apart without case. Source: MS-WSMV, §2.2.4.31. */
function startsWith(uri: string, prefix: string): boolean {
  return uri.slice(0, prefix.length).toLowerCase() === prefix.toLowerCase()
}

/** The URI of a class as Windows writes it. */
export function classUri(namespace: string, className: string): string {
  return `${names.WMI_URI}${namespace.replaceAll('\\', '/')}/${className}`
}

/** Whether two URIs are the same. */
export function isSameUri(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
