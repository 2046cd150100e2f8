import { readdir, readFile } from 'node:fs/promises'
import { arrayMember, JsonShapeError, stringMember, toJsonObject } from '../../protocols/qmp/json.ts'
import { type DomainId, DriverError } from '../driver.ts'
import { readAction } from './autostart.ts'
import { systemCode, writeAtomically } from './files.ts'
import type { Gate } from './gate.ts'
import { wasInterrupted } from './interruption.ts'
import type { Inventory } from './inventory.ts'
import { bootFile, filesOf, isDomainId } from './layout.ts'
import { Lock } from './lock.ts'
import { resume } from './suspensions.ts'

/** Domains that are started together. */
const AT_ONCE_MAX = 4
/** Domains that are looked at together. */
const LOOKED_AT_MAX = 16

type Warn = (message: string) => void

/**
 * What is to be done because the host has started: its domains are started that are to be. Kept on disk, so that each is
 * started once, whatever becomes of who starts them.
 */
export class HostStart {
  readonly #path: string
  readonly #bootId: string
  readonly #due: Set<DomainId>
  readonly #lock = new Lock()
  readonly #over = new AbortController()
  #work: Promise<unknown> = Promise.resolve()

  private constructor(path: string, bootId: string, due: Iterable<DomainId>) {
    this.#path = path
    this.#bootId = bootId
    this.#due = new Set(due)
  }

  /**
   * Finds out what is due: something, where this is the first to take the folder since the machine has booted, which it
   * makes known durably. To be done before anything of an earlier boot is cleared away.
   */
  static async begin(root: string, bootId: string, warn: Warn): Promise<HostStart> {
    const path = bootFile(root)
    const known = await readBoot(path, warn)
    if (known?.bootId === bootId) return new HostStart(path, bootId, known.due)
    // Of a folder that is new, nobody has ever said what is to be started.
    const start = new HostStart(path, bootId, known === undefined ? [] : await findDue(root, warn))
    await start.#keep()
    return start
  }

  /** Starts in the background what is due. Failures are warned about, and keep no other from its start. */
  run(inventory: Inventory, gate: Gate, warn: Warn): void {
    const queue = [...this.#due]
    const worker = async () => {
      for (let id = queue.shift(); id !== undefined && !this.#over.signal.aborted; id = queue.shift()) {
        await this.#startOne(id, inventory, gate, warn)
      }
    }
    this.#work = Promise.all(Array.from({ length: Math.min(AT_ONCE_MAX, queue.length) }, worker))
    this.#work.catch((error: unknown) => warn(`${this.#path}: ${String(error)}`))
  }

  /** Starts no more; what was not started yet is still due. Resolves when no start is under way. */
  async close(): Promise<void> {
    this.#over.abort()
    await this.#work.catch(() => undefined)
  }

  async #startOne(id: DomainId, inventory: Inventory, gate: Gate, warn: Warn): Promise<void> {
    const { signal } = this.#over
    const domain = inventory.all().find(one => one.id === id)
    const { name = '', state } = domain?.summary ?? {}
    try {
      if (state === 'suspended') await gate.pass(async () => domain?.wholly(whole => resume(whole, { signal })))
      if (state === 'halted') await gate.pass(async () => domain?.start({ signal }))
    } catch (error) {
      if (signal.aborted) return
      warn(`${name} (${id}) is not started with its host: ${textOf(error)}`)
    }
    this.#due.delete(id)
    await this.#lock.run(() => this.#keep())
  }

  #keep(): Promise<void> {
    return writeAtomically(this.#path, `${JSON.stringify({ bootId: this.#bootId, due: [...this.#due] })}\n`)
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Names the time from one boot of the machine to the next. Source: proc(5), /proc/sys/kernel/random/boot_id. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
}

interface Boot {
  readonly bootId: string
  readonly due: readonly DomainId[]
}

/** Undefined where nothing is known. */
async function readBoot(path: string, warn: Warn): Promise<Boot | undefined> {
  try {
    const boot = toJsonObject(JSON.parse(await readFile(path, 'utf8')), 'it')
    const due = arrayMember(boot, 'due').filter(id => typeof id === 'string')
    return { bootId: stringMember(boot, 'bootId'), due: due.filter(isDomainId) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    if (!(error instanceof SyntaxError || error instanceof JsonShapeError)) throw error
    warn(`no domain is started with its host, for ${path} cannot be read: ${error.message}`)
    return undefined
  }
}

async function findDue(root: string, warn: Warn): Promise<DomainId[]> {
  const ids = (await readdir(root)).filter(isDomainId)
  const due: DomainId[] = []
  for (let first = 0; first < ids.length; first += LOOKED_AT_MAX) {
    const some = ids.slice(first, first + LOOKED_AT_MAX)
    const found = await Promise.all(some.map(id => isDue(root, id, warn)))
    due.push(...some.filter((_id, index) => found[index]))
  }
  return due
}

async function isDue(root: string, id: DomainId, warn: Warn): Promise<boolean> {
  const files = filesOf(root, id)
  try {
    const action = await readAction(files)
    return action === 'always' || (action === 'if-was-running' && (await wasInterrupted(files)))
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    warn(`domain ${id} is not started with its host: ${error.message}`)
    return false
  }
}
