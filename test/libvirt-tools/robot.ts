import { createInterface, type Interface } from 'node:readline'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'
import type { Desktop } from './desktop.ts'

const PROGRAM = join(import.meta.dirname, 'robot.py')
const WAIT_SECONDS = 30
/** A little more than what the program waits itself. */
const ANSWER_MS = 40_000

/** What is to be seen of a widget. */
export interface Widget {
  readonly role: string
  readonly name: string
  readonly text: string
  readonly isChecked: boolean
  readonly isSensitive: boolean
  /** x, y, width and height on the screen, in pixels; empty where it has no place. */
  readonly box: readonly number[]
}

/** Operates the windows on a desktop as a user would. What paths of widgets are is said in robot.py. */
export class Robot {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>

  constructor(desktop: Desktop) {
    const child = desktop.run('/usr/bin/python3', '-W', 'ignore', PROGRAM)
    this.#child = child
    this.#lines = createInterface({ input: child.stdout })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** Waits for a widget. */
  async find(path: string): Promise<Widget> {
    return widget(await this.#call('find', path, WAIT_SECONDS))
  }

  /** Waits until there is no such widget. */
  async gone(path: string): Promise<void> {
    await this.#call('gone', path, WAIT_SECONDS)
  }

  /** Waits for a widget that can be used, and clicks it. */
  async click(path: string): Promise<void> {
    await this.#call('click', path, WAIT_SECONDS)
  }

  /** Whether a widget can be used within so many seconds. */
  async canUse(path: string, seconds: number): Promise<boolean> {
    return (await this.#call('can_use', path, seconds)) === true
  }

  /** Waits until a widget cannot be used. */
  async unusable(path: string): Promise<void> {
    await this.#call('unusable', path, WAIT_SECONDS)
  }

  /** Replaces what stands in a field. */
  async fill(path: string, value: string): Promise<void> {
    await this.#call('fill', path, value, WAIT_SECONDS)
  }

  /** Chooses an item of a combo box. */
  async choose(path: string, item: string): Promise<void> {
    await this.#call('choose', path, item, WAIT_SECONDS)
  }

  /** Puts the cursor on a cell of a table. */
  async select(path: string): Promise<void> {
    await this.#call('select', path, WAIT_SECONDS)
  }

  /** Moves a window to a place of the screen. */
  async place(path: string, x: number, y: number): Promise<void> {
    await this.#call('place', path, x, y, WAIT_SECONDS)
  }

  /** Takes a picture of a part of the screen, as PNG. */
  async shot(file: string, box: readonly number[]): Promise<void> {
    await this.#call('shot', file, box)
  }

  /** The commonest colours of a part of the screen, six digits each, and how many pixels have them, of those looked at. */
  async colours(box: readonly number[]): Promise<ReadonlyMap<string, number>> {
    const counts = await this.#call('colours', box)
    return new Map(Object.entries(Object(counts)).map(([colour, count]) => [colour, Number(count)]))
  }

  /** Everything that is to be seen in a widget: each by its role, its name and that of its label. */
  async tree(path: string): Promise<readonly string[]> {
    const lines = await this.#call('tree', path)
    return Array.isArray(lines) ? lines.map(String) : []
  }

  async #call(...command: readonly unknown[]): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
    const answer = await Promise.race([this.#answers.next(), tooLate(command)])
    if (answer.done === true) throw new Error('the robot has ended')
    const { ok, error } = parsed(answer.value)
    if (error !== undefined) throw new Error(`${String(command[0])}: ${error}`)
    return ok
  }
}

async function tooLate(command: readonly unknown[]): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`the robot does not answer ${JSON.stringify(command)}`)), ANSWER_MS).unref()
  })
}

function parsed(line: string): { readonly ok?: unknown; readonly error?: string } {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) throw new TypeError(`the robot answers ${line}`)
  if ('error' in value) return { error: String(value.error) }
  return { ok: 'ok' in value ? value.ok : undefined }
}

function widget(value: unknown): Widget {
  if (typeof value !== 'object' || value === null) throw new TypeError('no widget')
  const at = (key: string): unknown => Reflect.get(value, key)
  const box = at('box')
  return {
    role: String(at('role')),
    name: String(at('name')),
    text: String(at('text')),
    isChecked: at('isChecked') === true,
    isSensitive: at('isSensitive') === true,
    box: Array.isArray(box) ? box.map(Number) : [],
  }
}
