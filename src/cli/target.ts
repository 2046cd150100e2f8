import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Io } from './io.ts'

/** Where a server listens that was started without saying so. */
const DEFAULT_URL = 'http://127.0.0.1:4464'
const SOCKET_NAME = 'xenapi.sock'
const SECRET_NAME = 'local-secret'

/** What the command line says of the server. */
export interface TargetOptions {
  readonly url?: string
  readonly data?: string
}

/**
 * The URL of the server: `--url`, POLYVISOR_URL, the Unix socket in the data directory, the usual address on this
 * machine. A data directory that is named by `--data` is meant, whether the socket is there or not.
 */
export async function targetUrl(options: TargetOptions, io: Io): Promise<string> {
  const given = options.url ?? (options.data === undefined ? io.env['POLYVISOR_URL'] : undefined)
  if (given !== undefined && given !== '') return given
  const socket = join(dataDirectory(options, io), SOCKET_NAME)
  return options.data !== undefined || (await isSocket(socket)) ? unixUrl(socket) : DEFAULT_URL
}

/** The data directory: `--data`, POLYVISOR_DATA, and then the system's for root, and for others one of their own. */
function dataDirectory({ data }: TargetOptions, { env }: Io): string {
  const given = data ?? env['POLYVISOR_DATA'] ?? ''
  if (given !== '') return resolve(given)
  return process.getuid?.() === 0 ? '/var/lib/polyvisor' : join(env['HOME'] ?? homedir(), '.local/share/polyvisor')
}

/** The file beside a server's Unix socket that opens it; undefined for other URLs. */
export function localSecretFile(url: string): string | undefined {
  return url.startsWith('unix:') ? join(dirname(fileURLToPath(url.replace(/^unix:/, 'file:'))), SECRET_NAME) : undefined
}

const unixUrl = (socket: string): string => pathToFileURL(socket).href.replace(/^file:/, 'unix:')

/** A folder that this user may not look into holds no socket for this user. */
async function isSocket(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isSocket() === true
}
