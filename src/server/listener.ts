import { BlockList, isIP } from 'node:net'

import { ConfigurationError } from './configuration-error.ts'
import { DIALECTS, type Dialect } from './request.ts'

/** Where to listen, and the dialect spoken there unless a path chooses one. */
export type Listener = ApiListener | LibvirtListener

/** Where the Xen Management API is spoken. */
export type ApiListener = TcpListener | UnixListener

export interface TcpListener {
  readonly transport: 'http' | 'https'
  /** An address or a name, IPv6 without brackets. */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly dialect: Dialect
}

export interface UnixListener {
  readonly transport: 'unix'
  readonly path: string
  readonly dialect: Dialect
}

/** Where libvirt's protocol is spoken. */
export interface LibvirtListener {
  readonly transport: 'libvirt+unix'
  readonly path: string
}

export interface ListenerRules {
  /** Plain HTTP also where others could listen in. */
  readonly allowPlainHttp: boolean
}

/** Where the URL names none: plain HTTP is where clients of the draft come. */
const USUAL_DIALECT = { http: '0.2', https: '1', unix: '1' } as const satisfies Record<
  ApiListener['transport'],
  Dialect
>

const PORTS = { http: 80, https: 443 } as const

/**
 * The listener that a URL describes: `http://127.0.0.1:4464?dialect=0.2`, `https://0.0.0.0:4443`,
 * `unix:///path/xenapi.sock?dialect=1`. Throws ConfigurationError, which names the URL and the way out.
 */
export function parseListener(text: string, rules: ListenerRules): Listener {
  const url = URL.parse(text)
  if (url === null) throw refused(text, 'is not a URL; write it like http://127.0.0.1:4464?dialect=0.2')
  const scheme = url.protocol.slice(0, -1)
  if (scheme === 'libvirt+unix') return { transport: scheme, path: socketPath(text, url) }
  if (scheme !== 'http' && scheme !== 'https' && scheme !== 'unix') {
    throw refused(text, 'has a scheme that is not http, https or unix')
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(`on ${url.host}`, 'names a user; leave it out, users log in by session') // Shows no password.
  }
  if (url.hash !== '') throw refused(text, 'has a fragment (#); leave it out')
  const dialect = dialectOf(text, url.searchParams) ?? USUAL_DIALECT[scheme]
  if (scheme === 'unix') return { transport: 'unix', path: socketPath(text, url), dialect }

  if (url.pathname !== '/') throw refused(text, 'has a path; every path is served, leave it out')
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (scheme === 'http' && !rules.allowPlainHttp && !isLoopback(host)) {
    throw refused(
      text,
      'would carry passwords in the clear to an address that is not loopback; ' +
        'use https, listen on 127.0.0.1, or allow it with --allow-plain-http',
    )
  }
  return { transport: scheme, host, port: url.port === '' ? PORTS[scheme] : Number(url.port), dialect }
}

/** The listener's URL without its parameters, as a client or the ready line shows it. */
export function urlOf(listener: Listener): string {
  if ('path' in listener) return `${listener.transport}://${listener.path.split('/').map(encodeURIComponent).join('/')}`
  const host = isIP(listener.host) === 6 ? `[${listener.host}]` : listener.host
  return `${listener.transport}://${host}:${listener.port}`
}

function dialectOf(text: string, parameters: URLSearchParams): Dialect | undefined {
  for (const name of parameters.keys()) {
    if (name !== 'dialect') throw refused(text, `has the unknown parameter ${name}; there is only dialect`)
  }
  const [wanted, ...more] = parameters.getAll('dialect')
  if (wanted === undefined) return undefined
  const dialect = DIALECTS.find(known => known === wanted)
  if (dialect === undefined || more.length > 0) {
    throw refused(text, `must name one dialect of ${DIALECTS.join(', ')}`)
  }
  return dialect
}

function socketPath(text: string, url: URL): string {
  if (url.host !== '' || !url.pathname.startsWith('/'))
    throw refused(text, 'needs an absolute path, so three slashes: unix:///run/xenapi.sock')
  const path = decoded(url.pathname)
  if (path === undefined || path.includes('\0')) throw refused(text, 'has a path that is no file name')
  if (path === '' || path.endsWith('/')) throw refused(text, 'names no socket file; write unix:///run/xenapi.sock')
  return path
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const family = isIP(host)
  if (family === 0) return false
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8)
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

const refused = (url: string, reason: string) => new ConfigurationError(`the listener ${url} ${reason}`)
