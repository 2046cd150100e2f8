import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import type { Io } from './io.ts'

/** A login that is kept from one command to the next. */
export interface SavedSession {
  readonly url: string
  readonly user: string
  readonly session: string
}

/** The session of a URL; undefined where nobody logged in. */
export async function loadSession(url: string, io: Io): Promise<SavedSession | undefined> {
  let text: string
  try {
    text = await readFile(fileOf(url, io), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const { user, session } = { ...parse(text) }
  return typeof user === 'string' && typeof session === 'string' ? { url, user, session } : undefined
}

/** Keeps a session where only its owner can read it, in place of an earlier one of the same URL. */
export async function saveSession(saved: SavedSession, io: Io): Promise<void> {
  const file = fileOf(saved.url, io)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  await writeFile(draft, `${JSON.stringify(saved)}\n`, { mode: 0o600, flag: 'wx' })
  await rename(draft, file)
}

/** Forgets the session of a URL. Without one it does nothing. */
export async function forgetSession(url: string, io: Io): Promise<void> {
  await rm(fileOf(url, io), { force: true })
}

/** Source: XDG Base Directory Specification, `XDG_STATE_HOME`; a path that is not absolute is ignored. */
function fileOf(url: string, { env }: Io): string {
  const given = env['XDG_STATE_HOME'] ?? ''
  const state = isAbsolute(given) ? given : join(env['HOME'] ?? homedir(), '.local', 'state')
  const name = createHash('sha256').update(url).digest('hex').slice(0, 32)
  return join(state, 'polyvisor', 'sessions', `${name}.json`)
}

/** A file that cannot be read is as good as none: the user logs in again. */
function parse(text: string): { readonly user?: unknown; readonly session?: unknown } | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
