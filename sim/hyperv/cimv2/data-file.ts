import { datetimeOf } from '../cim/datetime.ts'
import type { Instance, Schema } from '../cim/model.ts'
import { type Provider, Wbem, WmiError } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { windowsOf } from '../host/windows.ts'
import { providerOf, rowOf } from '../v2/rows.ts'

const CLASS = 'CIM_DataFile'
const FOLDER = '\\windows\\system32\\'
const NAME = `c:${FOLDER}vmms.exe`

/** What narrows a question down so that a host need not read all of its disks. */
const NARROWING = ['name', 'path', 'drive']

/**
 * The one file that clients ask for: the program of the management service, whose version tells that of Hyper-V.
 * A question that would read all disks fails, as it does on hosts after minutes.
 */
export function dataFiles(host: Host, schema: Schema): Provider {
  const file = (): Instance => fileRow(host, schema)
  return providerOf(schema, {
    classes: {
      [CLASS]: {
        list() {
          throw new WmiError(Wbem.failed, 'Reading all files of the host takes too long.')
        },
        find: keys => (plain(keys.get('Name') ?? '') === NAME ? file() : undefined),
        demanded(values) {
          if (!NARROWING.some(name => values.has(name))) return undefined
          const path = values.get('path')
          return path === undefined || plain(path) === FOLDER ? [file()] : []
        },
      },
    },
  })
}

/** Backslashes may still be doubled, and the case is anybody's. */
const plain = (path: string): string => path.replaceAll('\\\\', '\\').toLowerCase()

function fileRow(host: Host, schema: Schema): Instance {
  const at = datetimeOf(host.state.bootedAt)
  return rowOf(schema, CLASS, {
    AccessMask: 17_957_033,
    Archive: true,
    CSCreationClassName: 'Win32_ComputerSystem',
    CSName: host.state.name,
    Caption: NAME,
    Compressed: false,
    CreationClassName: CLASS,
    CreationDate: at,
    Description: NAME,
    Drive: 'c:',
    EightDotThreeFileName: NAME,
    Encrypted: false,
    Extension: 'exe',
    FSCreationClassName: 'Win32_FileSystem',
    FSName: 'NTFS',
    FileName: 'vmms',
    FileSize: 13_000_000n,
    FileType: 'Application',
    Hidden: false,
    InstallDate: at,
    LastAccessed: at,
    LastModified: at,
    Manufacturer: 'Microsoft Corporation',
    Name: NAME,
    Path: FOLDER,
    Readable: true,
    Status: 'OK',
    System: false,
    Version: versionOf(host.state.build),
    Writeable: true,
  })
}

/** Source: the fourth part is that of the released build, where it was seen; later ones count updates. */
function versionOf(build: number): string {
  const released: Readonly<Record<number, number>> = { 7601: 17_514, 9200: 16_384, 9600: 16_384 }
  return `${windowsOf(build)?.version ?? ''}.${released[build] ?? 1}`
}
