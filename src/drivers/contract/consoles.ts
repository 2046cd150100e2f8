import type { Duplex } from 'node:stream'
import type { DomainId } from '../domain-config.ts'

/** A stretch of serial output. */
export interface SerialChunk {
  readonly data: Uint8Array
  /** Where to read on: a position that grows for as long as the domain exists, across rotations of the log. */
  readonly next: number
}

/** What guests print. */
export interface ConsoleOps {
  /**
   * What the first serial port has printed, from position `from`. Positions before the oldest byte kept read from
   * that byte; at the end the data is empty. A domain that never ran has printed nothing.
   */
  readSerial(id: DomainId, from: number, bytesMax: number): Promise<SerialChunk>
}

/** `serial`: the first serial port, raw bytes both ways. `vnc`: the display, as a server of the RFB protocol speaks. */
export type ConsoleKind = 'serial' | 'vnc'

/** Consoles to type at and to look at. */
export interface TerminalOps {
  /** Which consoles a domain has now; none unless running, paused or crashed. */
  kinds(id: DomainId): Promise<readonly ConsoleKind[]>
  /** Connects to a console; several may at once. Ends when the domain halts. `bad-state` where there is none now. */
  open(id: DomainId, kind: ConsoleKind): Promise<Duplex>
}

/** What a guest shows. */
export interface Screenshot {
  readonly width: number
  readonly height: number
  /** Red, green and blue of each pixel, a byte each, row after row from the top. */
  readonly pixels: Uint8Array
}

/** Looking at guests and pressing keys for them, without a console of one's own. */
export interface ScreenOps {
  /** `bad-state` unless running or paused. */
  screenshot(id: DomainId): Promise<Screenshot>
  /**
   * Presses keys together, as a person presses Ctrl, Alt and Delete: one after another, none let go of before all are
   * pressed and have been held for `holdMs`. Resolves when all are let go of. `keys` are codes of Linux's input events
   * (`KEY_ENTER` is 28); one that is there twice is pressed once. `refused`, naming it, for a key that the guest has not,
   * before any is pressed; `bad-state` unless running.
   */
  pressKeys(id: DomainId, keys: readonly number[], holdMs: number): Promise<void>
}
