import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

import type { HostState } from './model.ts'
import { isState, mistakeIn } from './state-shape.ts'

/** A state file that cannot be used, or not written. Its message says which and why. */
export class StateError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StateError'
  }
}

/** The format of the file. A file of another one is refused, never guessed at. */
const VERSION = 1
const BYTES_MAX = 1 << 30
/** How long changes wait for others to be written with: this long, and longer where writing takes long itself. */
const DELAY_MS = 200
const SHARE_OF_TIME = 1 / 10

/** The state as text: JSON, with 64-bit integers as `{"$int":"123"}`. */
export function printState(state: HostState): string {
  return JSON.stringify(state, (_key, value: unknown) => (typeof value === 'bigint' ? { $int: String(value) } : value))
}

/** Throws StateError where the text is no state, or one of another version. */
export function parseState(text: string, source: string): HostState {
  let value: unknown
  try {
    value = JSON.parse(text, (_key, part: unknown) => integerIn(part))
  } catch (error) {
    throw new StateError(`${source} is not the state of a simulated host: it is not JSON.`, { cause: error })
  }
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined
  if (version !== VERSION) {
    throw new StateError(`${source} is of version ${String(version)}; only version ${VERSION} can be read.`)
  }
  if (!isState(value)) throw new StateError(`${source} is not the state of a simulated host: ${mistakeIn(value)}.`)
  return value
}

function integerIn(part: unknown): unknown {
  if (typeof part !== 'object' || part === null || !('$int' in part)) return part
  const { $int: digits } = part
  return typeof digits === 'string' && /^-?\d{1,20}$/.test(digits) ? BigInt(digits) : part
}

/** Undefined where there is no such file. Throws StateError where there is one that cannot be used. */
export async function readState(path: string): Promise<HostState | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new StateError(`${path} cannot be read.`, { cause: error })
  })
  if (text === undefined) return undefined
  if (text.length > BYTES_MAX) throw new StateError(`${path} is too large for the state of a simulated host.`)
  return parseState(text, path)
}

/**
 * Keeps the state of a host in a file: soon after each change, and once more when it is closed. The file is replaced
 * whole, so that whenever the process ends it holds the state before or after a change, never half of one.
 */
export class StateFile {
  readonly #path: string
  readonly #state: HostState
  readonly #onError: (error: StateError) => void
  #timer: NodeJS.Timeout | undefined
  #isDirty = true
  #delayMs = DELAY_MS
  #writing: Promise<void> = Promise.resolve()

  /** `onError` is told of a write in the background that failed; the next change tries again. */
  constructor(path: string, state: HostState, onError: (error: StateError) => void) {
    this.#path = path
    this.#state = state
    this.#onError = onError
  }

  /** The state has changed. */
  touch(): void {
    this.#isDirty = true
    this.#timer ??= setTimeout(() => {
      this.flush().catch((error: unknown) => {
        this.#onError(error instanceof StateError ? error : new StateError(String(error), { cause: error }))
      })
    }, this.#delayMs).unref()
  }

  /** Writes what has changed. Rejects with StateError. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    // One write at a time; a failed one is its own caller's, not the next one's.
    const write = this.#writing.then(() => this.#write())
    this.#writing = write.catch(() => undefined)
    return write
  }

  async #write(): Promise<void> {
    if (!this.#isDirty) return
    this.#isDirty = false
    const temporary = `${this.#path}.new`
    const start = performance.now()
    try {
      await writeDurably(temporary, printState(this.#state))
      await rename(temporary, this.#path)
      await syncFolder(dirname(this.#path))
      this.#delayMs = Math.max(DELAY_MS, (performance.now() - start) / SHARE_OF_TIME)
    } catch (error) {
      this.#isDirty = true
      await rm(temporary, { force: true }).catch(() => undefined)
      throw new StateError(`${this.#path} cannot be written.`, { cause: error })
    }
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
