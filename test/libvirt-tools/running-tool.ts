import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Screen } from '../support/screen.ts'

/** How long a tool has that was told to end. */
const END_MS = 10_000

/** A tool that goes on until it is ended, in English and with nobody's settings. */
export class RunningTool {
  /** What it prints. */
  readonly screen: Screen
  /** What it complains of. */
  readonly complaints: Screen
  readonly #child: ChildProcessWithoutNullStreams
  readonly #closed: Promise<unknown>

  constructor(command: string, args: readonly string[], home: string) {
    const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TERM: 'dumb', HOME: home, PYTHONDONTWRITEBYTECODE: '1' }
    this.#child = spawn(command, args, { env, stdio: 'pipe' })
    this.#child.stdin.on('error', () => undefined) // It may well end before it has read everything.
    this.screen = new Screen(this.#child.stdout)
    this.complaints = new Screen(this.#child.stderr)
    this.#closed = once(this.#child, 'close')
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  type(text: string): void {
    this.#child.stdin.write(text)
  }

  /** Says that nothing more is typed. */
  hangUp(): void {
    this.#child.stdin.end()
  }

  /** The code that it ends with by itself; null where a signal ended it. */
  async ended(): Promise<number | null> {
    await this.#closed
    return this.#child.exitCode
  }

  /** Ends it, if it has not ended. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS)
    this.#child.kill('SIGTERM')
    await this.#closed
    clearTimeout(timer)
  }
}

/** A program in a terminal of its own, which this process types at and looks at. */
export const inTerminal = (args: readonly string[], home: string): RunningTool =>
  new RunningTool('/usr/bin/python3', ['-c', TERMINAL, ...args], home)

const TERMINAL = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)'
