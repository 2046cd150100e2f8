import { CimError } from './error.ts'

/** What the URI of every WMI class begins with. Source: Microsoft Learn, "Resource URIs". */
const WMI_ROOT = 'http://schemas.microsoft.com/wbem/wsman/1/wmi/'
/** Any class of a namespace; only a filter says which instances are meant. */
const ANY_CLASS = '*'

const NAMESPACE = /^[A-Za-z_][\w.-]*(?:\/[A-Za-z_][\w.-]*)*$/
const CLASS_NAME = /^[A-Za-z_]\w*$/

/** A WMI namespace with slashes, as URIs have it: `root\virtualization\v2` is `root/virtualization/v2`. */
export function normalizeNamespace(namespace: string): string {
  const slashed = namespace.replaceAll('\\', '/')
  if (!NAMESPACE.test(slashed)) throw new CimError(`${JSON.stringify(namespace)} is no WMI namespace`)
  return slashed
}

/** `name` if it can be the name of a class, property, method or role. Throws CimError otherwise. */
export function requireName(name: string): string {
  if (!CLASS_NAME.test(name)) throw new CimError(`${JSON.stringify(name)} is no name of CIM`)
  return name
}

/** The resource URI of a class. Throws CimError for names that are none. */
export function classUri(namespace: string, className: string): string {
  return `${WMI_ROOT}${normalizeNamespace(namespace)}/${requireName(className)}`
}

/** The resource URI that queries and association filters are sent to. */
export function anyClassUri(namespace: string): string {
  return `${WMI_ROOT}${normalizeNamespace(namespace)}/${ANY_CLASS}`
}

/** What a resource URI says. */
export interface Resource {
  /** Of WMI, with slashes; absent where the URI is not one of WMI, and names a class of its own kind of server. */
  readonly namespace?: string
  readonly className: string
}

/** Takes a resource URI apart; the case of its beginning does not count. What follows a `?` is not part of the name. */
export function parseResourceUri(uri: string): Resource {
  const path = uri.split('?', 1)[0] ?? uri
  const slash = path.lastIndexOf('/')
  const className = path.slice(slash + 1)
  if (path.slice(0, WMI_ROOT.length).toLowerCase() !== WMI_ROOT) return { className }
  return { namespace: path.slice(WMI_ROOT.length, Math.max(slash, WMI_ROOT.length)), className }
}
