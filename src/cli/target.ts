import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Io } from './io.ts'

/** Where a server listens that was started without saying so. */
const DEFAULT_URL = 'http://127.0.0.1:4464'
const SOCKET_NAME = 'xenapi.sock'
const SECRET_NAME = 'local-secret'
/** Where a running server says where it listens, for those who may read its data directory. */
const LISTENERS_NAME = 'listeners.json'
/** Those that a server may show over HTTPS; the operator's own counts first. */
const CERTIFICATES = ['tls/cert.pem', 'tls/self-signed.crt']

/** What the command line says of the server. */
export interface TargetOptions {
  readonly url?: string
  readonly data?: string
}

/**
 * The URL of the server: `--url`, POLYVISOR_URL, where the server of the data directory says it listens, the usual
 * address on this machine. A data directory that is named by `--data` is meant, whether a server is there or not.
 */
export async function targetUrl(options: TargetOptions, io: Io): Promise<string> {
  const given = options.url ?? (options.data === undefined ? io.env['POLYVISOR_URL'] : undefined)
  if (given !== undefined && given !== '') return given
  const data = dataDirectory(options, io)
  const [nearest] = (await listenersOf(data)).map(reachable).sort((a, b) => distance(a) - distance(b))
  if (nearest !== undefined) return nearest
  const socket = join(data, SOCKET_NAME)
  return options.data !== undefined || (await isSocket(socket)) ? unixUrl(socket) : DEFAULT_URL
}

/** The data directory: `--data`, POLYVISOR_DATA, and then the system's for root, and for others one of their own. */
function dataDirectory({ data }: TargetOptions, { env }: Io): string {
  const given = data ?? env['POLYVISOR_DATA'] ?? ''
  if (given !== '') return resolve(given)
  return process.getuid?.() === 0 ? '/var/lib/polyvisor' : join(env['HOME'] ?? homedir(), '.local/share/polyvisor')
}

/** The file that opens a server's Unix socket: in its data directory, else beside it; undefined for other URLs. */
export async function localSecretFile(url: string, options: TargetOptions, io: Io): Promise<string | undefined> {
  if (!url.startsWith('unix:')) return undefined
  const data = dataDirectory(options, io)
  if ((await listenersOf(data)).includes(url)) return join(data, SECRET_NAME)
  return join(dirname(fileURLToPath(url.replace(/^unix:/, 'file:'))), SECRET_NAME)
}

/** SHA-256 of the certificate that a server shows, where it is one whose data directory can be read. */
export async function localFingerprint(url: string, options: TargetOptions, io: Io): Promise<string | undefined> {
  const data = dataDirectory(options, io)
  if (!url.startsWith('https:') || !(await listenersOf(data)).map(reachable).includes(url)) return undefined
  for (const name of CERTIFICATES) {
    const text = await textOf(join(data, name))
    if (text !== undefined) return new X509Certificate(text).fingerprint256
  }
  return undefined
}

/** Where the server of a data directory listens; nothing where none does, or this user may not know. */
async function listenersOf(data: string): Promise<readonly string[]> {
  const text = await textOf(join(data, LISTENERS_NAME))
  if (text === undefined) return []
  const { listeners }: { readonly listeners: readonly { readonly url: string }[] } = JSON.parse(text)
  return listeners.map(({ url }) => url).filter(url => !url.startsWith('libvirt+'))
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'EACCES') return undefined
    throw error
  }
}

/** A server that listens on all addresses is reached on the loopback one. */
const reachable = (url: string): string => url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:')

/** The Unix socket needs no password, and plain HTTP no certificate. */
const distance = (url: string): number => ['unix:', 'http:', 'https:'].findIndex(scheme => url.startsWith(scheme))

const unixUrl = (socket: string): string => pathToFileURL(socket).href.replace(/^file:/, 'unix:')

/** A folder that this user may not look into holds no socket for this user. */
async function isSocket(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isSocket() === true
}
