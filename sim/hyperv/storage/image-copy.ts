import type { DiskImage } from './disk-image.ts'

const PIECE = 1024 * 1024

/** Told how much was copied, and asked whether to go on. */
export interface CopyWatch {
  readonly signal: AbortSignal
  /** From 0 to 1. */
  readonly progress: (fraction: number) => void
}

/**
 * Copies what `from` holds itself into `to`. Zeros may be left out where `to` is new and has no parent. Rejects when the
 * signal aborts.
 */
export async function copyRuns(
  from: DiskImage,
  to: DiskImage,
  { signal, progress }: CopyWatch,
  skipsZeros: boolean,
): Promise<void> {
  const end = Math.min(from.shape.bytes, to.shape.bytes)
  for await (const { offset, length, isZero } of from.runs()) {
    const stop = Math.min(offset + length, end)
    for (let at = offset; at < stop; at += PIECE) {
      signal.throwIfAborted()
      const size = Math.min(PIECE, stop - at)
      if (isZero && skipsZeros) continue
      const data = isZero ? Buffer.alloc(size) : await from.read(at, size)
      if (!skipsZeros || !isAllZero(data)) await to.write(at, data)
      progress(at / end)
    }
  }
}

function isAllZero(data: Buffer): boolean {
  return data[0] === 0 && data.compare(data, 1, data.length, 0, data.length - 1) === 0
}
