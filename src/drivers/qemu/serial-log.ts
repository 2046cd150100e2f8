import {
  appendFileSync,
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { integerMember, JsonShapeError, toJsonObject } from '../../protocols/qmp/json.ts'
import type { SerialChunk } from '../driver.ts'
import { systemCode } from './files.ts'
import type { DomainFiles } from './layout.ts'
import { Lock } from './lock.ts'

/** A log longer than this is rotated; one older piece of at most this length is kept. */
export const SERIAL_LOG_BYTES_MAX = 1_048_576
/** The most that one reading gives. */
const READ_BYTES_MAX = 1_048_576

/**
 * What a domain's first serial port has printed: the end of `serial.log.1`, then `serial.log`, which QEMU appends to.
 * `serial.json` has the position of the first byte of `serial.log`, so that positions grow across rotations.
 *
 * A log is rotated by copying and truncating it, since QEMU keeps it open. What the guest prints between the last look
 * at its length and the truncation is lost; both are done in one go. While no manager runs, the log grows.
 */
export class SerialLog {
  readonly #files: DomainFiles
  readonly #lock = new Lock()
  /** The position of the first byte of `serial.log`; undefined until it was looked up. */
  #start: number | undefined

  constructor(files: DomainFiles) {
    this.#files = files
  }

  /** See `ConsoleOps.readSerial`. A position beyond the end reads from the end. */
  read(from: number, bytesMax: number): Promise<SerialChunk> {
    return this.#lock.run(async () => {
      const { serialLog, serialLogOld } = this.#files
      const start = await this.#startOfLog()
      const [oldBytes, bytes] = [await sizeOf(serialLogOld), await sizeOf(serialLog)]
      const position = Math.min(Math.max(from, start - oldBytes, 0), start + bytes)
      const length = Math.min(Math.max(bytesMax, 0), READ_BYTES_MAX)
      const data =
        position < start
          ? await readPiece(serialLogOld, oldBytes - (start - position), Math.min(length, start - position))
          : await readPiece(serialLog, position - start, Math.min(length, start + bytes - position))
      return { data, next: position + data.length }
    })
  }

  /** Rotates the log where it has grown over its bound. */
  rotateIfLong(bytesMax: number = SERIAL_LOG_BYTES_MAX): Promise<void> {
    return this.#lock.run(async () => {
      const bytes = await sizeOf(this.#files.serialLog)
      if (bytes > bytesMax) await this.#rotate(bytes, bytesMax)
    })
  }

  /** The files are gone with their domain: what comes next starts at 0 again. */
  forget(): void {
    this.#start = undefined
  }

  async #rotate(bytes: number, bytesMax: number): Promise<void> {
    const { serialLog, serialLogOld } = this.#files
    const start = await this.#startOfLog()
    const skipped = Math.max(0, bytes - bytesMax)
    const partial = `${serialLogOld}.partial`
    await writeFile(partial, await readPiece(serialLog, skipped, bytes - skipped), { mode: 0o600 })
    await rename(partial, serialLogOld)
    this.#start = this.#truncate(start, bytes)
  }

  /**
   * Moves what was printed since the copy, counts, and truncates, all without letting go of the thread. The count is
   * written before the truncation: a manager killed between them repeats output, but no position is ever given twice.
   */
  #truncate(start: number, copiedBytes: number): number {
    const log = openSync(this.#files.serialLog, 'r+')
    try {
      const rest = Buffer.alloc(Math.min(Math.max(0, fstatSync(log).size - copiedBytes), READ_BYTES_MAX))
      const restBytes = readSync(log, rest, 0, rest.length, copiedBytes)
      appendFileSync(this.#files.serialLogOld, rest.subarray(0, restBytes))
      const next = start + copiedBytes + restBytes
      const partial = `${this.#files.serialCount}.partial`
      writeFileSync(partial, JSON.stringify({ start: next }), { mode: 0o600 })
      renameSync(partial, this.#files.serialCount)
      ftruncateSync(log, 0)
      return next
    } finally {
      closeSync(log)
    }
  }

  async #startOfLog(): Promise<number> {
    this.#start ??= await readStart(this.#files.serialCount)
    return this.#start
  }
}

/** A log that was never rotated starts at 0. */
async function readStart(path: string): Promise<number> {
  try {
    return integerMember(toJsonObject(JSON.parse(await readFile(path, 'utf8')), 'the count'), 'start')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    if (!(error instanceof SyntaxError || error instanceof JsonShapeError)) throw error
    // Torn by a power failure, after which readers have to begin anew in any case.
    await rm(path, { force: true })
    return 0
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0
    throw error
  }
}

/** Bytes of a file from `position`; none where there is no file. */
async function readPiece(path: string, position: number, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0)
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
