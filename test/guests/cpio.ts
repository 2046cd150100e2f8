/** A member of an archive: a file with contents, or a folder. Parents come before their children. */
export interface CpioEntry {
  readonly path: string
  readonly mode: number
  readonly data?: Buffer
}

const FOLDER = 0o040000
const FILE = 0o100000

export const folder = (path: string): CpioEntry => ({ path, mode: FOLDER | 0o755 })
export const file = (path: string, data: Buffer): CpioEntry => ({ path, mode: FILE | 0o644, data })
export const program = (path: string, data: Buffer): CpioEntry => ({ path, mode: FILE | 0o755, data })

/** An archive as Linux unpacks it for its first root file system. Source: Linux, early-userspace/buffer-format. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const trailer = { path: 'TRAILER!!!', mode: 0 }
  return Buffer.concat([...entries, trailer].map((entry, index) => member(entry, index + 1)))
}

function member({ path, mode, data = Buffer.alloc(0) }: CpioEntry, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`)
  // Inode, mode, uid, gid, links, mtime, size, device twice, device of a device file twice, length of name, checksum.
  const numbers = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0]
  const header = Buffer.from(`070701${numbers.map(number => number.toString(16).padStart(8, '0')).join('')}`)
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(data)])
}

function padded(bytes: Buffer): Buffer {
  const ALIGNMENT = 4
  return Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)])
}
