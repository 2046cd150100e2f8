import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ApiError, type TlsOptions, TransportError, XenApiClient } from '../client/index.ts'
import { Failure, UsageError } from './failure.ts'
import type { Io } from './io.ts'
import { askPassword, readPasswordFile } from './password.ts'
import { forgetSession, loadSession } from './session-file.ts'
import { localFingerprint, localSecretFile, targetUrl, type TargetOptions } from './target.ts'

/** The user that every server has. */
export const FIRST_USER = 'root'

const PASSWORD_HINT =
  'set POLYVISOR_PASSWORD, name a file with --password-file FILE, or run: polyvisor login; ' +
  'on the server’s machine and as its user, name its data directory instead, with --data DIR or POLYVISOR_DATA'

/** What the command line says of the server and of who is calling. */
export interface ConnectOptions extends TargetOptions {
  readonly user?: string
  readonly passwordFile?: string
  readonly cacert?: string
  readonly fingerprint?: string
}

/** A client that is logged in. */
export interface Connection {
  readonly client: XenApiClient
  readonly user: string
  /** Ends the session, unless it is one that `polyvisor login` keeps, and closes the connections. */
  end(): Promise<void>
}

/** A client of the server, not logged in. */
export async function openClient(options: ConnectOptions, io: Io): Promise<XenApiClient> {
  const url = await targetUrl(options, io)
  const tls = await tlsOptions(url, options, io)
  try {
    return new XenApiClient({ url, tls })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message)
    throw error
  }
}

async function tlsOptions(url: string, options: ConnectOptions, io: Io): Promise<TlsOptions> {
  const { cacert } = options
  const fingerprint =
    options.fingerprint ?? (cacert === undefined ? await localFingerprint(url, options, io) : undefined)
  if (fingerprint !== undefined) return { fingerprint }
  if (cacert === undefined) return {}
  try {
    return { ca: await readFile(cacert, 'utf8') }
  } catch (error) {
    throw new Failure(`cannot read the CA file ${cacert}: ${String(error)}`)
  }
}

/**
 * Logs in with what there is: a password file that is named, the session that `polyvisor login` kept,
 * POLYVISOR_PASSWORD, the local secret of a Unix socket, and last by asking.
 */
export async function connect(options: ConnectOptions, io: Io): Promise<Connection> {
  const client = await openClient(options, io)
  try {
    const kept = options.passwordFile === undefined ? await resume(client, options, io) : undefined
    if (kept !== undefined) return kept
    const user = options.user ?? FIRST_USER
    await client.login(user, await passwordOf(user, client, options, io))
    return { client, user, end: () => leave(client) }
  } catch (error) {
    client.close()
    throw error
  }
}

/** Goes on with the session that was kept, if it is this user's and the server still knows it. */
async function resume(client: XenApiClient, options: ConnectOptions, io: Io): Promise<Connection | undefined> {
  const saved = await loadSession(client.url, io)
  if (saved === undefined || (options.user !== undefined && options.user !== saved.user)) return undefined
  client.resume(saved.session)
  try {
    await client.task.get_all_tasks()
    return { client, user: saved.user, end: async () => client.close() }
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 'SESSION_INVALID')) throw error
    await forgetSession(client.url, io)
    return undefined
  }
}

/** The password to log in with, from wherever it is given. Never from the command line, which others can read. */
export async function passwordOf(user: string, client: XenApiClient, options: ConnectOptions, io: Io): Promise<string> {
  const { url } = client
  if (options.passwordFile !== undefined) return await readPasswordFile(options.passwordFile, io)
  const given = io.env['POLYVISOR_PASSWORD']
  if (given !== undefined && given !== '') return given
  const file = user === FIRST_USER ? await localSecretFile(url, options, io) : undefined
  const secret = file === undefined ? undefined : await localSecret(file)
  if (typeof secret === 'string') return secret
  await reach(client) // Nobody is to be asked for the password of a server that is not there.
  const asked = await askPassword(`Password of ${user} at ${url}: `, io)
  if (asked !== undefined) return asked
  throw new Failure(`no password for ${user} at ${url}`, { hint: secret?.why ?? PASSWORD_HINT })
}

/** Rejects with TransportError where no server answers; what it answers does not matter. */
async function reach(client: XenApiClient): Promise<void> {
  try {
    await client.call('system.listMethods')
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
  }
}

/** What the server wrote at its start for those who may read its data directory, or why it cannot be read. */
async function localSecret(file: string): Promise<string | { readonly why: string }> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') {
      const why = `start one with: polyvisor serve --data ${dirname(file)}, or name a server with --url`
      throw new Failure(`no server has served from ${dirname(file)}: there is no ${file}`, { hint: why })
    }
    return { why: `${file} cannot be read; run as the user that runs the server, or log in with --user and a password` }
  }
}

/** A session that cannot be ended now is ended by the server in time; the command is done all the same. */
async function leave(client: XenApiClient): Promise<void> {
  try {
    await client.logout()
  } catch (error) {
    if (!(error instanceof TransportError || error instanceof ApiError)) throw error
  } finally {
    client.close()
  }
}
