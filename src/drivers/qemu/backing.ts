import { closeSync, lstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DriverError, type ImageFormat } from '../driver.ts'
import { systemCode } from './files.ts'

/** The file below an image, as its header names it. */
interface Below {
  readonly name: string
  /** Undefined where the header does not say; QEMU would guess it by what the file holds. */
  readonly format: string | undefined
}

/** Images above each other that are looked through; far more than are ever made here. */
const DEPTH_MAX = 1_000
/** Source: QEMU, docs/interop/qcow2: magic, `backing_file_size`, incompatible features, header extensions. */
const MAGIC = 0x514649fb
const HEADER_BYTES = 104
const V2_HEADER_BYTES = 72
const NAME_BYTES_MAX = 1023
const EXTERNAL_DATA = 4
const BACKING_FORMAT = 0xe2792aca
const EXTENSIONS_MAX = 64
const FORMAT_NAME_BYTES_MAX = 32

/**
 * Demands that whatever an image shows lies in its own folder. Whoever may write an image, a guest whose disk was raw
 * before or a client that uploads it, could have any file of the host read by it else. Done without letting go of the
 * thread, so that nobody writes to it between this and its use. Throws as `refused`.
 */
export function assertSelfContained(location: string, format: ImageFormat): void {
  let image = location
  for (let isQcow2 = format === 'qcow2', depth = 0; isQcow2; depth++) {
    if (depth >= DEPTH_MAX) throw refused(location, 'builds on too many others')
    const below = belowOf(image)
    if (below === undefined) return
    image = placeBeside(image, below.name) ?? elsewhere(location, below.name)
    isQcow2 = below.format === 'qcow2' || (below.format === undefined && isOfQcow2(image))
    if (!isQcow2 && below.format !== 'raw') {
      throw refused(location, `builds on ${below.name}, and says no format of it that is used here, qcow2 or raw`)
    }
  }
}

const refused = (location: string, why: string) => new DriverError('refused', `the image ${location} ${why}`)

function elsewhere(location: string, name: string): never {
  throw refused(location, `builds on ${name}, which is no file of its folder`)
}

/** Where QEMU looks for it; undefined where that is another folder, a link, or no file at all. */
function placeBeside(image: string, name: string): string | undefined {
  // Source: QEMU, block.c, path_has_protocol.
  if (/^[^/]*:/.test(name)) return undefined
  const place = resolve(dirname(image), name)
  try {
    if (realpathSync(dirname(place)) !== realpathSync(dirname(image))) return undefined
    return lstatSync(place).isSymbolicLink() ? undefined : place
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined of an image that stands alone, and of what is no qcow2 image, which QEMU refuses as such. */
function belowOf(image: string): Below | undefined {
  return reading(image, read => {
    const header = read(0, HEADER_BYTES)
    if (header.length < V2_HEADER_BYTES || header.readUInt32BE(0) !== MAGIC) return undefined
    const isNew = header.readUInt32BE(4) >= 3
    if (isNew && (header.readUInt32BE(76) & EXTERNAL_DATA) !== 0) throw refused(image, 'has its data in another file')
    const offset = header.readBigUInt64BE(8)
    const bytes = header.readUInt32BE(16)
    if (offset === 0n || bytes === 0) return undefined
    if (bytes > NAME_BYTES_MAX || offset > BigInt(Number.MAX_SAFE_INTEGER)) throw refused(image, 'is damaged')
    const end = Number(offset)
    const format = formatBelow(read, { at: isNew ? header.readUInt32BE(100) : V2_HEADER_BYTES, end })
    return { name: read(end, bytes).toString('utf8'), format }
  })
}

type Read = (position: number, bytes: number) => Buffer

/**
 * As the extensions of the header say it, which are from `at` to `end`. Of several QEMU takes the last; here they are none
 * that is known.
 */
function formatBelow(read: Read, { at, end }: { at: number; end: number }): string | undefined {
  const formats: string[] = []
  for (let count = 0; count < EXTENSIONS_MAX && at + 8 <= end; count++) {
    const extension = read(at, 8)
    if (extension.length < 8) break
    const [type, bytes] = [extension.readUInt32BE(0), extension.readUInt32BE(4)]
    if (type === 0) return formats.length === 0 ? undefined : formats.join(' and ')
    if (type === BACKING_FORMAT) formats.push(read(at + 8, Math.min(bytes, FORMAT_NAME_BYTES_MAX)).toString('latin1'))
    at += 8 + Math.ceil(bytes / 8) * 8
  }
  return at + 8 > end && formats.length <= 1 ? formats[0] : 'more than is looked at'
}

/** Version 1 is another format, which QEMU would take it for. */
const isOfQcow2 = (image: string): boolean =>
  reading(image, read => {
    const start = read(0, 8)
    return start.length === 8 && start.readUInt32BE(0) === MAGIC && [2, 3].includes(start.readUInt32BE(4))
  })

function reading<T>(path: string, look: (read: Read) => T): T {
  const file = openSync(path, 'r')
  try {
    return look((position, bytes) => {
      const buffer = Buffer.alloc(bytes)
      return buffer.subarray(0, readSync(file, buffer, 0, bytes, position))
    })
  } finally {
    closeSync(file)
  }
}
