import { isIP } from 'node:net'

import { isLibvirtScheme, type LibvirtListener, parseLibvirtListener } from './libvirt-place.ts'
import { hostOf, isLoopback, parametersOf, refused, socketPath } from './listener-url.ts'
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
 * `unix:///path/xenapi.sock?dialect=1`, and those of libvirt's (`parseLibvirtListener`). Throws ConfigurationError, which names the URL and the way out.
 */
export function parseListener(text: string, rules: ListenerRules): Listener {
  const url = URL.parse(text)
  if (url === null) throw refused(text, 'is not a URL; write it like http://127.0.0.1:4464?dialect=0.2')
  const scheme = url.protocol.slice(0, -1)
  const isLibvirt = isLibvirtScheme(scheme)
  if (!isLibvirt && scheme !== 'http' && scheme !== 'https' && scheme !== 'unix') {
    throw refused(text, 'has a scheme that is not http, https, unix, libvirt+unix, libvirt+tcp or libvirt+tls')
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(`on ${url.host}`, 'names a user; leave it out, users log in when they come') // Shows no password.
  }
  if (url.hash !== '') throw refused(text, 'has a fragment (#); leave it out')
  if (isLibvirt) return parseLibvirtListener(text, url, scheme)
  const dialect = dialectOf(text, url) ?? USUAL_DIALECT[scheme]
  if (scheme === 'unix') return { transport: 'unix', path: socketPath(text, url), dialect }

  if (url.pathname !== '/') throw refused(text, 'has a path; every path is served, leave it out')
  const host = hostOf(url)
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

function dialectOf(text: string, url: URL): Dialect | undefined {
  const wanted = parametersOf(text, url, { dialect: DIALECTS }).get('dialect')
  return DIALECTS.find(known => known === wanted)
}
