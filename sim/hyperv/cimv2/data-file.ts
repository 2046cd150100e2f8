import { textOf } from '../cim/instance.ts'
import type { Instance, Schema } from '../cim/model.ts'
import {
  type ClassProvider,
  type MethodCall,
  type MethodResult,
  type Provider,
  Wbem,
  WmiError,
} from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { windowsOf } from '../host/windows.ts'
import type { Entry } from '../storage/file-system.ts'
import { openStorage } from '../storage/storage.ts'
import { providerOf, rowOf } from '../v2/rows.ts'
import { copyFile, copyFolder, deleteFile, renameFile } from './file-methods.ts'
import { factsOf, fileRow } from './file-rows.ts'

const FILE = 'CIM_DataFile'
const FOLDER = 'Win32_Directory'
const SYSTEM_FOLDER = '\\windows\\system32\\'
const SERVICE_PROGRAM = `c:${SYSTEM_FOLDER}vmms.exe`

/**
 * The files of a host and their folders: those of its storage, and the program of the management service, whose version
 * tells that of Hyper-V. A question for files that would read all disks
 * fails, as it does on hosts after minutes.
 */
export function dataFiles(host: Host, schema: Schema): Provider {
  return providerOf(schema, {
    classes: {
      [FILE]: filesOf(host, schema, FILE),
      [FOLDER]: filesOf(host, schema, FOLDER),
    },
    methods: {
      [`${FILE}.Delete`]: ({ self }) => deleteFile(host, textOf(self, 'Name')),
      [`${FOLDER}.Delete`]: ({ self }) => deleteFile(host, textOf(self, 'Name')),
      [`${FILE}.Copy`]: ({ self, input }) => copyFile(host, textOf(self, 'Name'), pathIn(input)),
      [`${FILE}.CopyEx`]: ({ self, input }) => copyFile(host, textOf(self, 'Name'), pathIn(input)),
      [`${FOLDER}.Copy`]: ({ self, input }) => copyFolder(host, textOf(self, 'Name'), pathIn(input), true),
      [`${FOLDER}.CopyEx`]: ({ self, input }) =>
        copyFolder(host, textOf(self, 'Name'), pathIn(input), input.get('Recursive') === true),
      [`${FILE}.Rename`]: call => rename(host, call),
      [`${FOLDER}.Rename`]: call => rename(host, call),
    },
  })
}

function rename(host: Host, { self, input }: MethodCall): Promise<MethodResult> {
  return renameFile(host, textOf(self, 'Name'), pathIn(input))
}

function pathIn(input: MethodCall['input']): string {
  const path = input.get('FileName')
  return typeof path === 'string' ? path : ''
}

function filesOf(host: Host, schema: Schema, className: typeof FILE | typeof FOLDER): ClassProvider {
  const isWanted = ({ isFolder }: Entry): boolean => isFolder === (className === FOLDER)
  const row = (entry: Entry): Instance => rowOf(schema, className, fileRow(host, factsOf(entry)))
  const program = (): Instance[] => (className === FILE ? [programRow(host, schema)] : [])
  const at = (path: string): Instance | undefined => {
    if (plain(path) === SERVICE_PROGRAM) return program()[0]
    const entry = openStorage(host)?.files.find(plain(path))
    return entry !== undefined && isWanted(entry) ? row(entry) : undefined
  }
  const all = (): Instance[] => [...program(), ...(openStorage(host)?.files.all() ?? []).filter(isWanted).map(row)]
  return {
    list() {
      if (className === FILE) throw new WmiError(Wbem.failed, 'Reading all files of the host takes too long.')
      return all()
    },
    find: keys => at(keys.get('Name') ?? ''),
    demanded(values) {
      const [name, drive, path] = [values.get('name'), values.get('drive'), values.get('path')]
      if (name !== undefined) {
        const found = at(name)
        return found === undefined ? [] : [found]
      }
      const files = openStorage(host)?.files
      if (path === undefined) return drive === undefined ? undefined : all()
      const drives = drive === undefined ? (files?.drives() ?? []).map(letter => `${letter}:`) : [drive]
      const inside = drives.flatMap(each => files?.list(`${each}${plain(path)}`) ?? [])
      return [...(plain(path) === SYSTEM_FOLDER ? program() : []), ...inside.filter(isWanted).map(row)]
    },
  }
}

/** Backslashes may still be doubled, and the case is anybody's. */
const plain = (path: string): string => path.replaceAll('\\\\', '\\').toLowerCase()

function programRow(host: Host, schema: Schema): Instance {
  const at = host.state.bootedAt
  return rowOf(schema, FILE, {
    ...fileRow(host, {
      name: SERVICE_PROGRAM,
      isFolder: false,
      bytes: 13_000_000,
      createdAt: at,
      modifiedAt: at,
    }),
    Manufacturer: 'Microsoft Corporation',
    Version: versionOf(host.state.build),
  })
}

/** Source: the fourth part is that of the released build, where it was seen; later ones count updates. */
function versionOf(build: number): string {
  const released: Readonly<Record<number, number>> = { 7601: 17_514, 9200: 16_384, 9600: 16_384 }
  return `${windowsOf(build)?.version ?? ''}.${released[build] ?? 1}`
}
