import type { MethodResult } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { isInUse } from '../storage/chain.ts'
import type { Entry, FileSystem } from '../storage/file-system.ts'
import { openStorage } from '../storage/storage.ts'
import { parseWindowsPath, sameFileKey } from '../storage/windows-path.ts'

/** What methods of files return. Source: Microsoft Learn, CIM_DataFile.Copy, Delete and Rename, and those of Win32_Directory. */
const FileReturn = {
  ok: 0,
  accessDenied: 2,
  failed: 8,
  invalidName: 9,
  exists: 10,
  otherDrive: 13,
  notEmpty: 14,
  sharingViolation: 15,
} as const

/** Deletes a file that nobody has open, or an empty folder. */
export function deleteFile(host: Host, path: string): Promise<MethodResult> {
  return changing(host, path, entry => {
    const files = openStorage(host)?.files
    if (entry.isFolder && (files?.list(entry.path)?.length ?? 0) > 0) return FileReturn.notEmpty
    files?.remove(entry)
    return FileReturn.ok
  })
}

/** Gives a file that nobody has open another name, in the same folder or in another one. */
export function renameFile(host: Host, path: string, to: string): Promise<MethodResult> {
  return changing(host, path, entry => {
    const files = openStorage(host)?.files
    if (parseWindowsPath(to) === undefined) return FileReturn.invalidName
    if (files?.find(to) !== undefined) return FileReturn.exists
    const isFar = parseWindowsPath(entry.path)?.drive !== parseWindowsPath(to)?.drive
    if (isFar && files?.drives().includes(parseWindowsPath(to)?.drive ?? '') === true) return FileReturn.otherDrive
    return files?.move(entry, to) === true ? FileReturn.ok : FileReturn.invalidName
  })
}

/** Copies a file that nobody has open for writing to where nothing is yet. */
export function copyFile(host: Host, path: string, to: string): Promise<MethodResult> {
  return changing(host, path, entry => {
    const files = openStorage(host)?.files
    if (files?.find(to) !== undefined) return FileReturn.exists
    return files?.copy(entry, to) === true ? FileReturn.ok : FileReturn.invalidName
  })
}

/** Copies a folder and the files in it to where nothing is yet, and the folders in it where `isDeep`. */
export function copyFolder(host: Host, path: string, to: string, isDeep: boolean): Promise<MethodResult> {
  return changing(host, path, entry => {
    const files = openStorage(host)?.files
    if (files === undefined || isWithin(to, entry.path)) return FileReturn.invalidName
    if (files.find(to) !== undefined) return FileReturn.exists
    // Only the last folder of a path is made.
    if (files.place(to) === undefined || !files.makeFolder(to)) return FileReturn.invalidName
    copyInto(files, entry, to, isDeep)
    return FileReturn.ok
  })
}

const isWithin = (path: string, folder: string): boolean => sameFileKey(path).startsWith(`${sameFileKey(folder)}\\`)

function copyInto(files: FileSystem, folder: Entry, to: string, isDeep: boolean): void {
  for (const entry of files.list(folder.path) ?? []) {
    const target = `${to}\\${entry.path.slice(entry.path.lastIndexOf('\\') + 1)}`
    if (!entry.isFolder) files.copy(entry, target)
    else if (isDeep && files.makeFolder(target)) copyInto(files, entry, target, isDeep)
  }
}

async function changing(host: Host, path: string, change: (entry: Entry) => number): Promise<MethodResult> {
  const entry = openStorage(host)?.files.find(path)
  // What is not among the host's own files belongs to Windows.
  if (entry === undefined || parseWindowsPath(path)?.parts.length === 0) return { returnValue: FileReturn.accessDenied }
  if (await isInUse(host, entry.path)) return { returnValue: FileReturn.sharingViolation }
  try {
    return { returnValue: change(entry) }
  } catch (error) {
    // What the file system refuses is the caller's to know; anything else is a bug of the host.
    if (!(error instanceof Error && 'code' in error)) throw error
    return { returnValue: FileReturn.failed }
  }
}
