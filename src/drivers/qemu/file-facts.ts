import { lstat } from 'node:fs/promises'
import { DriverError, type FileFacts } from '../driver.ts'
import { systemCode } from './files.ts'

/** What the bits of a mode say beside the kind of file. Source: inode(7). */
const PERMISSIONS = 0o7777n

/** What the file system says of a file or folder; see `StorageOps.fileFacts`. */
export async function fileFacts(path: string): Promise<FileFacts> {
  try {
    const { size, mode, uid, gid, atimeNs, mtimeNs, ctimeNs } = await lstat(path, { bigint: true })
    return {
      bytes: Number(size),
      mode: Number(mode & PERMISSIONS),
      owner: Number(uid),
      group: Number(gid),
      accessedNs: atimeNs,
      modifiedNs: mtimeNs,
      changedNs: ctimeNs,
    }
  } catch (error) {
    const code = systemCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    throw new DriverError('not-found', `there is no ${path}`, { cause: error })
  }
}
