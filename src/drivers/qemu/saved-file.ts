import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { JsonShapeError } from '../../protocols/qmp/json.ts'
import { DriverError } from '../driver.ts'
import { assertDefinable, type Definition, parse, serialise } from './definition.ts'
import { systemCode } from './files.ts'
import type { MemoryExtent } from './memory-file.ts'

/**
 * A file that a domain was saved to: two slots of SLOT_BYTES, then the memory as QEMU has sent it, to the end. Each slot
 * may hold what the file says of the domain; the one with the higher number counts. So that a change, which is written to
 * the other one, is done or not done, whenever the power fails. A file that is not whole has no slot that holds anything.
 * All numbers are little endian:
 *
 *      0  8 bytes  MAGIC
 *      8  u32      format, 1
 *     12  u32      number of the slot's writing, from 1
 *     16  u32      1 where the domain is to be paused, else 0
 *     20  u32      length of the definition, as `domain.json` has it, in bytes
 *     24  u64      length of the memory in bytes
 *     32  u32      CRC-32 of the memory
 *     36  u32      CRC-32 of the 36 bytes before and of the definition
 *     40           the definition
 */
export const SLOT_BYTES = 524_288
export const MEMORY_START = 2 * SLOT_BYTES
const MAGIC = Buffer.from('PVSAVED\n', 'latin1')
const FORMAT = 1
const HEAD_BYTES = 40
const SUM_AT = 36
const NUMBER_MAX = 0xffff_ffff

/** What QEMU calls its machines; what a file says gets to QEMU's command line. */
const MACHINE = /^[A-Za-z0-9._-]{1,64}$/

/** What a slot holds. */
export interface Saving {
  readonly definition: Definition
  readonly paused: boolean
  readonly memory: MemoryExtent
}

interface Numbered extends Saving {
  readonly number: number
}

/** Opens a file that a domain was saved to. Rejects as `refused` where there is none, or another. */
export async function openSaved(
  location: string,
  flags: 'r' | 'r+',
): Promise<{ readonly file: FileHandle; readonly saving: Saving }> {
  const file = await openOrRefuse(location, flags)
  try {
    return { file, saving: await readWhole(file, location) }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Makes a file say this of its domain; durable when it resolves. Throws as `refused` where it says too much. */
export async function writeSlot(file: FileHandle, saving: Saving): Promise<void> {
  const known = await readSlots(file)
  const number = Math.max(0, ...known.map(one => one.number)) + 1
  if (number > NUMBER_MAX) throw new DriverError('refused', 'the file was changed too often')
  const slot = encode({ ...saving, number })
  // Not the one that counts now.
  await file.write(slot, 0, slot.length, (number % 2) * SLOT_BYTES)
  await file.sync()
}

async function openOrRefuse(location: string, flags: 'r' | 'r+'): Promise<FileHandle> {
  try {
    const file = await open(location, flags)
    if ((await file.stat()).isFile()) return file
    await file.close()
  } catch (error) {
    const code = systemCode(error)
    if (code === undefined) throw error
    throw new DriverError('refused', `${location} cannot be opened: ${code}`, { cause: error })
  }
  throw noneSaved(location)
}

async function readWhole(file: FileHandle, location: string): Promise<Saving> {
  const [newest] = (await readSlots(file)).toSorted((a, b) => b.number - a.number)
  if (newest === undefined) throw noneSaved(location)
  const { size } = await file.stat()
  const due = MEMORY_START + newest.memory.bytes
  if (size !== due) throw new DriverError('refused', `${location} has ${size} bytes and not ${due}`)
  return newest
}

const noneSaved = (location: string) => new DriverError('refused', `no domain was saved to ${location}`)

async function readSlots(file: FileHandle): Promise<Numbered[]> {
  const slots = await Promise.all([0, 1].map(index => readSlot(file, index * SLOT_BYTES)))
  return slots.flatMap(slot => slot ?? [])
}

async function readSlot(file: FileHandle, position: number): Promise<Numbered | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SLOT_BYTES), 0, SLOT_BYTES, position)
  return decode(buffer.subarray(0, bytesRead))
}

/** The bytes of a slot. Throws DriverError as `refused` where there is no room for the definition. */
export function encode({ definition, paused, memory, number }: Numbered): Buffer {
  const text = Buffer.from(serialise(definition))
  if (HEAD_BYTES + text.length > SLOT_BYTES) {
    throw new DriverError('refused', `a definition of ${text.length} bytes is longer than a file of saved memory takes`)
  }
  const head = Buffer.alloc(HEAD_BYTES)
  MAGIC.copy(head)
  head.writeUInt32LE(FORMAT, 8)
  head.writeUInt32LE(number, 12)
  head.writeUInt32LE(paused ? 1 : 0, 16)
  head.writeUInt32LE(text.length, 20)
  head.writeBigUInt64LE(BigInt(memory.bytes), 24)
  head.writeUInt32LE(memory.crc32, 32)
  head.writeUInt32LE(crc32(text, crc32(head.subarray(0, SUM_AT))), SUM_AT)
  return Buffer.concat([head, text])
}

/** What a slot holds; undefined where it holds nothing, or nothing whole. */
export function decode(slot: Buffer): Numbered | undefined {
  if (slot.length < HEAD_BYTES || !slot.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  const [format, number, paused, length] = [8, 12, 16, 20].map(at => slot.readUInt32LE(at))
  const bytes = slot.readBigUInt64LE(24)
  if (format !== FORMAT || number === undefined || number === 0 || paused === undefined || paused > 1) return undefined
  if (length === undefined || HEAD_BYTES + length > slot.length || bytes > Number.MAX_SAFE_INTEGER) return undefined
  const text = slot.subarray(HEAD_BYTES, HEAD_BYTES + length)
  if (crc32(text, crc32(slot.subarray(0, SUM_AT))) !== slot.readUInt32LE(SUM_AT)) return undefined
  const definition = parseDefinition(text.toString('utf8'))
  if (definition === undefined) return undefined
  const memory = { bytes: Number(bytes), crc32: slot.readUInt32LE(32) }
  return { number, paused: paused === 1, definition, memory }
}

function parseDefinition(text: string): Definition | undefined {
  try {
    const definition = parse(text)
    assertDefinable(definition.config)
    return MACHINE.test(definition.machine) ? definition : undefined
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof JsonShapeError || error instanceof DriverError)
      return undefined
    throw error
  }
}
