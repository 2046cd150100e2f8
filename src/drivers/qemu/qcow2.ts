import type { FileHandle } from 'node:fs/promises'

const MAGIC = 0x514649fb
const HEADER_BYTES = 32

/**
 * The size that a guest sees of a qcow2 image; undefined where the file is none. The header is read here, since a
 * `qemu-img` for each file would make a long list slow.
 * Source: QEMU docs/interop/qcow2, "Header": 0 magic, 4 version, 24 size; all big-endian.
 */
export async function readQcow2Size(file: FileHandle): Promise<number | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
  if (bytesRead < HEADER_BYTES || buffer.readUInt32BE(0) !== MAGIC) return undefined
  const version = buffer.readUInt32BE(4)
  const size = buffer.readBigUInt64BE(24)
  const isSound = (version === 2 || version === 3) && size <= BigInt(Number.MAX_SAFE_INTEGER)
  return isSound ? Number(size) : undefined
}
