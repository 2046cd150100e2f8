import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ImageError } from './disk-image.ts'

/** How an image is opened: an old one to be read or changed, or a new one. */
export type Opening = 'read' | 'write' | 'new'

const FLAGS: Readonly<Record<Opening, number>> = {
  read: constants.O_RDONLY | constants.O_NOFOLLOW,
  write: constants.O_RDWR | constants.O_NOFOLLOW,
  new: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
}

const TRANSFER_MAX = 64 * 1024 * 1024

/** An open file, read and written at places. */
export class ImageHandle {
  readonly #handle: FileHandle
  #isOpen = true

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /** Rejects as the system does. */
  static async open(file: string, opening: Opening): Promise<ImageHandle> {
    return new ImageHandle(await open(file, FLAGS[opening], 0o600))
  }

  async bytes(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** Exactly `length` bytes. Rejects with ImageError where the file ends before. */
  async read(position: number, length: number): Promise<Buffer> {
    if (length > TRANSFER_MAX || !Number.isSafeInteger(position + length)) {
      throw new ImageError('a structure of the image is out of range')
    }
    const buffer = Buffer.alloc(length)
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(buffer, done, length - done, position + done)
      if (bytesRead === 0) throw new ImageError('the image ends before its end')
      done += bytesRead
    }
    return buffer
  }

  async write(position: number, data: Buffer): Promise<void> {
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await this.#handle.write(data, done, data.length - done, position + done)
      done += bytesWritten
    }
  }

  /** What is added is a hole, and reads as zero. */
  async resize(bytes: number): Promise<void> {
    await this.#handle.truncate(bytes)
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#handle.close()
  }
}
