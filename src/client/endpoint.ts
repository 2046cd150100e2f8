/** Where a server listens, as its URL tells. */
export type Endpoint =
  | {
      readonly kind: 'tcp'
      readonly secure: boolean
      readonly host: string
      readonly port: number
      readonly path: string
    }
  | { readonly kind: 'unix'; readonly socket: string; readonly path: string }

/** The path of a server at which the draft dialect is spoken whatever the listener's own is. */
const DRAFT_PATH = '/0.2'
const PORTS = { http: 80, https: 443 } as const

/**
 * Reads `http://HOST:PORT`, `https://HOST:PORT`, `unix:///PATH/xenapi.sock`. A path in the first two is where calls
 * are posted; without one it is the draft dialect's. Throws TypeError, which shows no password.
 */
export function parseEndpoint(text: string): Endpoint {
  const url = URL.parse(text)
  if (url === null) throw new TypeError(`not a URL: write http://HOST:PORT, https://HOST:PORT or unix:///PATH`)
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`the URL of ${url.host} names a user or a password; leave them out and log in`)
  }
  const scheme = url.protocol.slice(0, -1)
  if (scheme === 'unix') return unixEndpoint(url)
  if (scheme !== 'http' && scheme !== 'https') {
    throw new TypeError(`${text} has a scheme that is not http, https or unix`)
  }
  return {
    kind: 'tcp',
    secure: scheme === 'https',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORTS[scheme] : Number(url.port),
    path: url.pathname === '/' ? DRAFT_PATH : url.pathname,
  }
}

function unixEndpoint(url: URL): Endpoint {
  if (url.host !== '' || url.pathname.length < 2) {
    throw new TypeError(`${url.href} needs an absolute path, so three slashes: unix:///run/xenapi.sock`)
  }
  return { kind: 'unix', socket: decoded(url), path: DRAFT_PATH }
}

function decoded(url: URL): string {
  try {
    return decodeURIComponent(url.pathname)
  } catch (error) {
    throw new TypeError(`${url.href} has a path that is no file name`, { cause: error })
  }
}
