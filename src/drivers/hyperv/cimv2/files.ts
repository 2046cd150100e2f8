import {
  type CimInstance,
  type CimMethod,
  defineMethod,
  type InputOf,
  reference,
  type Types,
  type WsmanClient,
  WsmanFault,
  wql,
} from '../../../protocols/wsman/index.ts'
import { DriverError, type OperationOptions } from '../../driver.ts'
import type { FileBackEnd, HostFile } from '../storage-back-end.ts'
import { driveOf } from '../windows-path.ts'

// The files of a host through root\cimv2. Source: Microsoft Learn, CIM_DataFile, Win32_Directory, Win32_LogicalDisk.

const NAMESPACE = 'root/cimv2'
const IN_CIMV2 = { namespace: NAMESPACE } as const
const FILE = 'CIM_DataFile'
const FOLDER = 'Win32_Directory'

const to = { input: { FileName: 'string' }, output: {} } as const
const DELETE = defineMethod(FILE, 'Delete', { input: {}, output: {} })
const RENAME = defineMethod(FILE, 'Rename', to)
const COPY = defineMethod(FILE, 'Copy', to)
const COPY_FOLDER = defineMethod(FOLDER, 'CopyEx', {
  input: { FileName: 'string', Recursive: 'boolean' },
  output: {},
})

/** DriveType of a disk that is built in. */
const FIXED = 3

/** What these methods return, in words. Source: the same pages. */
const TEXTS: Readonly<Record<number, string>> = {
  2: 'access is denied',
  8: 'unspecified failure',
  9: 'the path is not valid',
  10: 'something is there already',
  13: 'it is on another drive',
  14: 'the folder is not empty',
  15: 'somebody has it open',
  17: 'a privilege is missing',
  21: 'a parameter is not valid',
}
const SHARING_VIOLATION = 15

/** How long a host may take to copy a file; it does so in one exchange. */
const COPY_MS_MAX = 10 * 60_000

/** The files of the host that this client speaks with. */
export function fileBackEnd(client: WsmanClient): FileBackEnd {
  const ask = (query: ReturnType<typeof wql>) => client.query(query, IN_CIMV2)
  return {
    async drives() {
      const rows = await ask(wql`SELECT DeviceID, Size, FreeSpace FROM Win32_LogicalDisk WHERE DriveType = ${FIXED}`)
      return rows.map(row => ({
        name: row.string('DeviceID') ?? '',
        capacityBytes: bytesIn(row, 'Size'),
        freeBytes: bytesIn(row, 'FreeSpace'),
      }))
    },
    // A host finds a file by its name at once; without its folder it would read all disks.
    file: async path =>
      (await ask(wql`SELECT Name, FileSize, LastModified FROM CIM_DataFile WHERE Name = ${path}`)).map(fileOf)[0],
    files: async folder => {
      const [drive, path] = placeOf(folder)
      const query = wql`SELECT Name, FileSize, LastModified FROM CIM_DataFile WHERE Drive = ${drive} AND Path = ${path}`
      return (await ask(query)).map(fileOf)
    },
    filesNamed: async (folder, name) => {
      const [drive, path] = placeOf(folder)
      const isThere = wql`Drive = ${drive} AND Path = ${path} AND FileName = ${name}`
      return (await ask(wql`SELECT Name, FileSize, LastModified FROM CIM_DataFile WHERE ${isThere}`)).map(fileOf)
    },
    hasFolder: async path => (await ask(wql`SELECT Name FROM Win32_Directory WHERE Name = ${path}`)).length > 0,
    folders: async folder => {
      const [drive, path] = placeOf(folder)
      const rows = await ask(wql`SELECT Name FROM Win32_Directory WHERE Drive = ${drive} AND Path = ${path}`)
      // The root of a drive is in itself.
      return rows.map(row => row.string('Name') ?? '').filter(name => !name.endsWith('\\'))
    },
    deleteFile: path => call(client, FILE, path, DELETE, {}),
    moveFile: (path, FileName) => call(client, FILE, path, RENAME, { FileName }),
    copyFile: (path, FileName, options) => call(client, FILE, path, COPY, { FileName }, options),
    copyFolder: (path, FileName) => call(client, FOLDER, path, COPY_FOLDER, { FileName, Recursive: false }),
  }
}

/** Drive and Path of what is in a folder: the second begins and ends with a backslash. */
function placeOf(folder: string): readonly [drive: string, path: string] {
  return [driveOf(folder), `${folder.slice(2).replace(/\\$/, '')}\\`]
}

function fileOf(row: CimInstance): HostFile {
  const bytes = bytesIn(row, 'FileSize')
  return { path: row.string('Name') ?? '', bytes, stamp: `${row.datetime('LastModified')?.toIso() ?? ''} ${bytes}` }
}

const bytesIn = (row: CimInstance, name: string): number => Number(row.bigint(name) ?? 0n)

async function call<I extends Types>(
  client: WsmanClient,
  className: string,
  path: string,
  method: CimMethod<I, Types>,
  input: InputOf<I>,
  { signal }: OperationOptions = {},
): Promise<void> {
  const target = reference(NAMESPACE, className, { Name: path })
  const patience = { ...(method.name === COPY.name && { timeoutMs: COPY_MS_MAX }), ...(signal && { signal }) }
  try {
    const { returnValue } = await client.call(target, method, input, patience)
    if (returnValue === 0) return
    const reason = `${TEXTS[returnValue] ?? 'no reason is known'} (${returnValue})`
    const kind = returnValue === SHARING_VIOLATION ? 'bad-state' : 'refused'
    throw new DriverError(kind, `${method.name} of ${path}: ${reason}`)
  } catch (error) {
    if (error instanceof WsmanFault && error.kind === 'not-found') {
      throw new DriverError('not-found', `the host has no file ${path}`, { cause: error })
    }
    throw error
  }
}
