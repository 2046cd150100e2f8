import { open } from 'node:fs/promises'
import { DriverError } from '../driver.ts'

/** A longer first line is no password. */
const PASSWORD_BYTES_MAX = 4_096

/** The first line of a file. Rejects as `refused` where it cannot be read, or holds none; never tells what it holds. */
export async function readPasswordFile(path: string): Promise<string> {
  const buffer = new Uint8Array(PASSWORD_BYTES_MAX + 1)
  const length = await readStart(path, buffer)
  const [line = ''] = new TextDecoder().decode(buffer.subarray(0, length)).split(/\r?\n/, 1)
  if (line === '') throw new DriverError('refused', `${path} begins with no password`)
  if (length > PASSWORD_BYTES_MAX && line.length >= PASSWORD_BYTES_MAX) {
    throw new DriverError('refused', `the first line of ${path} is too long for a password`)
  }
  return line
}

async function readStart(path: string, buffer: Uint8Array): Promise<number> {
  try {
    await using file = await open(path)
    return (await file.read(buffer, 0, buffer.length, 0)).bytesRead
  } catch (error) {
    throw new DriverError('refused', `the password cannot be read from ${path}`, { cause: error })
  }
}
