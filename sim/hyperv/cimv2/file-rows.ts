import { datetimeOf } from '../cim/datetime.ts'
import type { Host } from '../host/host.ts'
import type { Entry } from '../storage/file-system.ts'
import { extensionOf } from '../storage/windows-path.ts'
import type { Row } from '../v2/rows.ts'

/** What CIM_DataFile and Win32_Directory say of a file or folder beside what it holds. */
export interface FileFacts {
  /** The full path; it is told in lower case. */
  readonly name: string
  readonly isFolder: boolean
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly modifiedAt: number
}

/** Source: Microsoft Learn, CIM_DataFile; that names come in lower case is how they are seen printed. */
export function fileRow({ state }: Host, facts: FileFacts): Row {
  const name = facts.name.toLowerCase()
  const [, drive = '', path = '', file = ''] = /^([a-z]:)(.*\\)([^\\]*)$/s.exec(name) ?? []
  const extension = facts.isFolder ? '' : extensionOf(name)
  const at = datetimeOf(Math.floor(facts.modifiedAt))
  return {
    AccessMask: 17_957_033,
    Archive: !facts.isFolder,
    CSCreationClassName: 'Win32_ComputerSystem',
    CSName: state.name,
    Caption: name,
    Compressed: false,
    CreationClassName: facts.isFolder ? 'Win32_Directory' : 'CIM_LogicalFile',
    CreationDate: datetimeOf(Math.floor(facts.createdAt)),
    Description: name,
    Drive: drive,
    EightDotThreeFileName: name,
    Encrypted: false,
    Extension: extension,
    FSCreationClassName: 'Win32_FileSystem',
    FSName: 'NTFS',
    FileName: extension === '' ? file : file.slice(0, -extension.length - 1),
    FileSize: facts.isFolder ? null : BigInt(facts.bytes),
    FileType: facts.isFolder ? 'File Folder' : (FILE_TYPES[extension] ?? `${extension.toUpperCase()} File`.trim()),
    Hidden: false,
    InstallDate: datetimeOf(Math.floor(facts.createdAt)),
    LastAccessed: at,
    LastModified: at,
    Name: name,
    Path: path,
    Readable: true,
    Status: 'OK',
    System: false,
    Writeable: true,
  }
}

const FILE_TYPES: Readonly<Record<string, string>> = {
  avhd: 'Virtual Machine Snapshot Differencing Disk',
  avhdx: 'Virtual Machine Snapshot Differencing Disk',
  exe: 'Application',
  iso: 'Disc Image File',
  vfd: 'Virtual Floppy Disk',
  vhd: 'Hard Disk Image File',
  vhdx: 'Hard Disk Image File',
}

export const factsOf = ({ path, isFolder, bytes, createdAt, modifiedAt }: Entry): FileFacts => ({
  name: path,
  isFolder,
  bytes,
  createdAt,
  modifiedAt,
})
