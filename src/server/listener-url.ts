import { BlockList, isIP } from 'node:net'
import { ConfigurationError } from './configuration-error.ts'

/** A listener's URL that cannot be followed; `reason` goes on from the URL and says the way out. */
export const refused = (url: string, reason: string): ConfigurationError =>
  new ConfigurationError(`the listener ${url} ${reason}`)

/** The socket file of a URL without a host. Throws ConfigurationError. */
export function socketPath(text: string, url: URL): string {
  if (url.host !== '' || !url.pathname.startsWith('/'))
    throw refused(text, `needs an absolute path, so three slashes: ${url.protocol}///run/xenapi.sock`)
  const path = decoded(url.pathname)
  if (path === undefined || path.includes('\0')) throw refused(text, 'has a path that is no file name')
  if (path === '' || path.endsWith('/')) {
    throw refused(text, `names no socket file; write ${url.protocol}///run/xenapi.sock`)
  }
  return path
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** The host of a URL, an IPv6 address without brackets. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')

/** Whether only programs of this machine reach an address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  if (family === 0) return false
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8)
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

/** The parameters of a URL, each given once at most and each with one of its values. Throws ConfigurationError. */
export function parametersOf(
  text: string,
  url: URL,
  known: Readonly<Record<string, readonly string[]>>,
): ReadonlyMap<string, string> {
  const given = new Map<string, string>()
  const names = Object.keys(known)
  for (const [name, value] of url.searchParams) {
    const values = Object.hasOwn(known, name) ? known[name] : undefined
    if (values === undefined) {
      const others = names.length === 0 ? 'there is none' : `there is only ${names.join(' and ')}`
      throw refused(text, `has the unknown parameter ${name}; ${others}`)
    }
    if (!values.includes(value) || given.has(name)) throw refused(text, `must name one ${name} of ${values.join(', ')}`)
    given.set(name, value)
  }
  return given
}
