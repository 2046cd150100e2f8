import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { GREETING } from './linux.ts'

/** How long a guest may take to come up, and a command to end, on a machine that is busy with other tests. */
const BOOT_MS = 120_000
const COMMAND_MS = 60_000
/** Between two attempts at finding a shell that listens. */
const PROBE_MS = 300
/** How long a guest that boots is left alone if it does not greet, as one whose greeting was missed. */
const GREETING_MS = 20_000
/** A terminal of Linux drops what goes beyond its buffer of 4,096 bytes. */
const COMMAND_LENGTH_MAX = 3_500
/** What a command may print. */
const OUTPUT_BYTES_MAX = 8 * 1_048_576

/** A command that failed: what it printed, and its exit code. */
export class CommandFailed extends Error {
  readonly code: number
  readonly output: string

  constructor(command: string, code: number, output: string) {
    super(`in the guest, exit code ${code} of: ${command}\n${output}`)
    this.code = code
    this.output = output
  }
}

/**
 * A root shell in a guest (`bootLinux`), by the Unix socket of its first serial port. The port serves one at a time: close
 * it before anything else is to have it. What other programs print on the port meanwhile is part of the answers.
 */
export class GuestShell {
  readonly #socket: Socket
  #received = ''
  #count = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').on('data', chunk => {
      this.#received += String(chunk)
      if (this.#received.length > OUTPUT_BYTES_MAX) socket.destroy(new Error('the guest prints without end'))
    })
    // Told to whoever waits, by the closing.
    socket.on('error', () => undefined)
  }

  /** Connects, and waits until the shell answers: from the start of the guest on, or whenever after. */
  static async open(socketPath: string): Promise<GuestShell> {
    return GuestShell.#open(socketPath, 0)
  }

  /**
   * The same for a guest that was just started. Nothing is typed before it greets: what comes in while Linux sets up an
   * emulated port can take the interrupt with it that is never repeated, and the port stays deaf for good.
   */
  static async openBooting(socketPath: string): Promise<GuestShell> {
    return GuestShell.#open(socketPath, GREETING_MS)
  }

  static async #open(socketPath: string, greetingMs: number): Promise<GuestShell> {
    const socket = createConnection(socketPath)
    await once(socket, 'connect')
    const shell = new GuestShell(socket)
    try {
      const deadline = performance.now() + BOOT_MS
      if (greetingMs > 0) await shell.#appears(new RegExp(GREETING), performance.now() + greetingMs)
      await shell.#probe(deadline)
      return shell
    } catch (error) {
      shell.close()
      throw error
    }
  }

  /**
   * What the command prints, standard error with it, without the last line's end; it runs in a shell of its own.
   * Rejects with CommandFailed unless its exit code is 0.
   */
  async run(command: string, timeoutMs = COMMAND_MS): Promise<string> {
    assert(command.length <= COMMAND_LENGTH_MAX, `a command may have ${COMMAND_LENGTH_MAX} characters`)
    const mark = this.#mark()
    this.#received = ''
    this.#socket.write(`( ${command}\n) </dev/null 2>&1; echo "${quoteApart(mark)}$?."\n`)
    const end = new RegExp(`${mark}(\\d+)\\.\n`)
    await this.#until(end, performance.now() + timeoutMs, command)
    const match = end.exec(this.#received)
    assert(match !== null)
    const output = this.#received.slice(0, match.index).replaceAll('\r\n', '\n').replace(/\n$/, '')
    if (match[1] !== '0') throw new CommandFailed(command, Number(match[1]), output)
    return output
  }

  /** Runs the command until it prints something that matches, whether or not it fails; what it printed then. */
  async until(command: string, expected: RegExp, timeoutMs = COMMAND_MS): Promise<string> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const output = await this.run(command).catch((error: unknown) => {
        // What is looked for may be half there, as a device that is just coming.
        if (error instanceof CommandFailed) return error.output
        throw error
      })
      if (expected.test(output)) return output
      assert(
        performance.now() < deadline,
        `in the guest, not within ${timeoutMs} ms ${expected} by ${command}: ${output}`,
      )
      await new Promise(resolve => setTimeout(resolve, PROBE_MS))
    }
  }

  /** Types a command whose end nobody waits for, such as one that ends the guest. */
  type(command: string): void {
    this.#socket.write(`${command}\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #mark(): string {
    return `END-${++this.#count}-`
  }

  async #probe(deadline: number): Promise<void> {
    for (;;) {
      const mark = this.#mark()
      this.#socket.write(`\necho "${quoteApart(mark)}"\n`)
      // With the end of its line, which would be taken for the first of what a command prints.
      const isThere = await this.#appears(new RegExp(`${mark}\n`), Math.min(deadline, performance.now() + PROBE_MS))
      if (isThere) return
      assert(performance.now() < deadline, `no shell answers in the guest; it printed: ${this.#received.slice(-2_000)}`)
    }
  }

  async #until(expected: RegExp, deadline: number, command: string): Promise<void> {
    if (await this.#appears(expected, deadline)) return
    assert.fail(`in the guest, no end of: ${command}; it printed: ${this.#received.slice(-2_000)}`)
  }

  /** Whether the guest prints this in time. Rejects when the port is closed before. */
  async #appears(expected: RegExp, deadline: number): Promise<boolean> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadline - performance.now())))
    while (!expected.test(this.#received)) {
      assert(!this.#socket.destroyed && !this.#socket.readableEnded, 'the serial port of the guest was closed')
      const either = new AbortController()
      const options = { signal: AbortSignal.any([signal, either.signal]) }
      try {
        await Promise.race([once(this.#socket, 'data', options), once(this.#socket, 'close', options)])
      } catch (error) {
        if (!signal.aborted) throw error
        return false
      } finally {
        either.abort()
      }
    }
    return true
  }
}

/** So that the terminal's echo of a command, where there is one, is not taken for its answer. */
const quoteApart = (mark: string): string => `${mark.slice(0, 2)}""${mark.slice(2)}`
