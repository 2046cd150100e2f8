import type { Clock } from './clock.ts'
import type { Behaviour, Ending } from './fixtures.ts'
import { SERIAL_BYTES_MAX, type SerialPort } from './serial-port.ts'

const TICK_MS = 100
const BANNER = 'BOOT-OK\r\n'
const NMI = 'NMI\r\n'
const FAREWELL = 'BYE\r\n'
const KEYS: ReadonlyMap<string, Ending> = new Map([
  ['p', 'shutdown'],
  ['r', 'reboot'],
  ['c', 'crash'],
])
const LINE_BYTES = 'N00000000\r\n'.length
const LINES_MAX = Math.floor(SERIAL_BYTES_MAX / LINE_BYTES)
const COUNTER_VALUES = 2 ** 32

/**
 * What runs in a domain from its start until it is halted. It prints `BOOT-OK` and then a counter on its serial
 * port. No timer ticks for that: what it has printed is worked out from the time it ran when somebody reads, so
 * that a hundred thousand idle guests cost nothing.
 */
export class Guest {
  readonly #behaviour: Behaviour
  readonly #clock: Clock
  readonly #serial: SerialPort | null
  readonly #onEnd: (ending: Ending) => void
  /** When it last began to run; `null` while it is paused. */
  #sinceMs: number | null = null
  /** How long it ran before that, since it booted. */
  #ranMs = 0
  /** How long it ran in all the boots before this one. */
  #ranBeforeMs = 0
  #lines = 0
  #hasPrintedBanner = false
  #isInterrupted = false
  /** When it will end by itself, in the time it ran. */
  #end: { readonly atMs: number; readonly ending: Ending } | null = null
  #disarm: () => void = () => {}
  /** How many file systems it has frozen. */
  frozen = 0
  /** By how much its clock is ahead of that of its machine. */
  clockOffsetNs = 0n

  /** Prints nowhere where `serial` is `null`. */
  constructor(behaviour: Behaviour, clock: Clock, serial: SerialPort | null, onEnd: (ending: Ending) => void) {
    this.#behaviour = behaviour
    this.#clock = clock
    this.#serial = serial
    this.#onEnd = onEnd
    this.#powerUp()
  }

  get isYielding(): boolean {
    return this.#behaviour.isYielding
  }

  /** Whether something in it answers its host. */
  get hasAgent(): boolean {
    return this.#behaviour.hasAgent
  }

  /** How long it has run since it booted. */
  get uptimeMs(): number {
    return this.#ranMs + (this.#sinceMs === null ? 0 : this.#clock.nowMs() - this.#sinceMs)
  }

  /** How long it has run since it was started; a reset does not set this back. */
  get lifeMs(): number {
    return this.#ranBeforeMs + this.uptimeMs
  }

  run(): void {
    this.#sinceMs = this.#clock.nowMs()
    this.#answerInterrupt()
    this.#arm()
  }

  pause(): void {
    this.print()
    this.#ranMs = this.uptimeMs
    this.#sinceMs = null
    this.#disarm()
  }

  /** Makes one that never ran one that has run for this long, and has printed all that it prints meanwhile. */
  age(uptimeMs: number): void {
    this.#ranMs = uptimeMs
    this.#hasPrintedBanner = true
    this.#lines = Math.floor(uptimeMs / TICK_MS)
  }

  reset(): void {
    this.cut()
    this.#powerUp()
    this.run()
  }

  /** An interrupt that it cannot put off: it says so, and goes on. One that is paused does that when it runs. */
  interrupt(): void {
    this.print()
    this.#isInterrupted = true
    if (this.#sinceMs !== null) this.#answerInterrupt()
  }

  #answerInterrupt(): void {
    if (this.#isInterrupted) this.#serial?.print(NMI)
    this.#isInterrupted = false
  }

  requestShutdown(): void {
    const { shutdownAfterMs } = this.#behaviour
    if (shutdownAfterMs === null) return
    this.#endBy(this.uptimeMs + shutdownAfterMs, 'shutdown')
    this.#arm()
  }

  /** Ends like this at once, whatever it was about to do. */
  endNow(ending: Ending): void {
    this.cut()
    this.#onEnd(ending)
  }

  /** Obeys what is typed on its serial port: `p` to shut down, `r` to reboot, `c` to crash. The rest it ignores, and all of it while it is paused. */
  type(text: string): void {
    if (this.#sinceMs === null) return
    for (const key of text) {
      const ending = KEYS.get(key)
      if (ending === undefined) continue
      this.print()
      if (ending === 'shutdown') this.#serial?.print(FAREWELL)
      this.#endBy(this.uptimeMs, ending)
    }
    this.#arm()
  }

  /** Takes its power away; it does nothing more. */
  cut(): void {
    this.pause()
    this.#end = null
  }

  /** Brings the serial port up to date. */
  print(): void {
    if (this.#sinceMs === null || this.#serial === null) return
    if (!this.#hasPrintedBanner) this.#serial.print(BANNER)
    this.#hasPrintedBanner = true

    const due = Math.floor(this.uptimeMs / TICK_MS)
    const first = Math.max(this.#lines, due - LINES_MAX)
    if (first > this.#lines) this.#serial.skip((first - this.#lines) * LINE_BYTES)
    let text = ''
    for (let line = first; line < due; line++) text += counterLine(line + 1)
    this.#serial.print(text)
    this.#lines = due
  }

  #powerUp(): void {
    this.#isInterrupted = false
    this.#ranBeforeMs += this.#ranMs
    this.#ranMs = 0
    this.#lines = 0
    this.#hasPrintedBanner = false
    this.#end = null
    this.frozen = 0
    this.clockOffsetNs = 0n
    const { end } = this.#behaviour
    if (end !== null) this.#endBy(end.afterMs, end.ending)
  }

  /** The earlier of two endings counts. */
  #endBy(atMs: number, ending: Ending): void {
    if (this.#end === null || atMs < this.#end.atMs) this.#end = { atMs, ending }
  }

  #arm(): void {
    this.#disarm()
    const end = this.#end
    if (end === null) return
    this.#disarm = this.#clock.after(Math.max(0, end.atMs - this.uptimeMs), () => {
      this.cut()
      this.#onEnd(end.ending)
    })
  }
}

function counterLine(value: number): string {
  return `N${(value % COUNTER_VALUES).toString(16).toUpperCase().padStart(8, '0')}\r\n`
}
