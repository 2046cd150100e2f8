import { readFile } from 'node:fs/promises'
import { ConfigurationError } from './configuration-error.ts'

/** What is in a file; undefined where there is none. Rejects with ConfigurationError for one that cannot be read. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new ConfigurationError(`cannot read ${path}: ${String(error)}`, { cause: error })
  }
}
