import { hostOf, isLoopback, parametersOf, refused, socketPath } from './listener-url.ts'

/** Where libvirt's protocol is spoken, and who may come. */
export type LibvirtListener = LibvirtUnixListener | LibvirtTcpListener | LibvirtTlsListener

/** A socket file; who may open it is the administrator. */
export interface LibvirtUnixListener {
  readonly transport: 'libvirt+unix'
  readonly path: string
  /** Its clients may only read. */
  readonly isReadOnly: boolean
}

/** In the clear, so on loopback only. */
export interface LibvirtTcpListener {
  readonly transport: 'libvirt+tcp'
  readonly host: string
  readonly port: number
  /** `none`: whoever comes is the administrator. */
  readonly auth: 'sasl' | 'none'
}

/** Encrypted. */
export interface LibvirtTlsListener {
  readonly transport: 'libvirt+tls'
  readonly host: string
  readonly port: number
  /** `certificate`: the common name of a client's certificate is the name of the user. */
  readonly auth: 'sasl' | 'certificate'
  /** Whether clients need a certificate of the operator's authority. */
  readonly needsCertificate: boolean
}

/** Source: libvirt, src/remote/remote_driver.h (LIBVIRTD_TCP_PORT, LIBVIRTD_TLS_PORT). */
const PORTS = { 'libvirt+tcp': 16_509, 'libvirt+tls': 16_514 } as const

/** Whether a scheme is one of libvirt's listeners. */
export const isLibvirtScheme = (scheme: string): scheme is LibvirtListener['transport'] =>
  scheme === 'libvirt+unix' || Object.hasOwn(PORTS, scheme)

/**
 * The listener of libvirt's that a URL describes: `libvirt+unix:///path/libvirt-sock?readonly=1`,
 * `libvirt+tcp://127.0.0.1?auth=none`, `libvirt+tls://0.0.0.0?clients=password`. Throws ConfigurationError.
 */
export function parseLibvirtListener(text: string, url: URL, transport: LibvirtListener['transport']): LibvirtListener {
  if (transport === 'libvirt+unix') {
    const isReadOnly = parametersOf(text, url, { readonly: ['0', '1'] }).get('readonly') === '1'
    return { transport, path: socketPath(text, url), isReadOnly }
  }
  const host = hostOf(url)
  if (host === '') throw refused(text, `needs an address to listen on: ${transport}://127.0.0.1:${PORTS[transport]}`)
  if (url.pathname !== '' && url.pathname !== '/') {
    throw refused(text, 'has a path; clients name the host that they want, leave it out')
  }
  const port = url.port === '' ? PORTS[transport] : Number(url.port)
  return transport === 'libvirt+tcp' ? tcp(text, url, host, port) : tls(text, url, host, port)
}

function tcp(text: string, url: URL, host: string, port: number): LibvirtTcpListener {
  const isOpen = parametersOf(text, url, { auth: ['sasl', 'none'] }).get('auth') === 'none'
  if (!isLoopback(host)) {
    throw refused(
      text,
      isOpen
        ? 'would let everybody in who reaches an address that is not loopback; listen on 127.0.0.1, or use libvirt+tls'
        : 'would carry everything in the clear to an address that is not loopback; use libvirt+tls, or listen on 127.0.0.1',
    )
  }
  return { transport: 'libvirt+tcp', host, port, auth: isOpen ? 'none' : 'sasl' }
}

function tls(text: string, url: URL, host: string, port: number): LibvirtTlsListener {
  const given = parametersOf(text, url, { auth: ['sasl', 'certificate'], clients: ['certificate', 'password'] })
  const auth = given.get('auth') === 'certificate' ? 'certificate' : 'sasl'
  const needsCertificate = given.get('clients') !== 'password'
  if (auth === 'certificate' && !needsCertificate) {
    throw refused(text, 'would know clients by a certificate that it does not ask for; leave out one of its parameters')
  }
  return { transport: 'libvirt+tls', host, port, auth, needsCertificate }
}
