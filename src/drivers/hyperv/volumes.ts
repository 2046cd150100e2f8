import { DriverError, type ImageFormat, type Volume } from '../driver.ts'
import type { KnownFacts } from './known-facts.ts'
import type { Attachment, HostFile, ImageFacts, StorageBackEnd } from './storage-back-end.ts'
import {
  baseOf,
  demandPath,
  endingOf,
  folderOf,
  isFileName,
  nameOf,
  parsePath,
  pathIn,
  pathKey,
} from './windows-path.ts'

/** What the ending of a file says of its format, as Hyper-V goes by it. What snapshots make has others, and is no volume. */
const FORMATS: Readonly<Record<string, ImageFormat>> = { '.vhdx': 'vhdx', '.vhd': 'vhd', '.iso': 'raw', '.vfd': 'raw' }
/** Files of this ending are images of CDs: nobody writes to them. */
const CD_ENDING = '.iso'

/** Images of a long list that are looked into at once; the client of WS-Management bounds how many are asked for. */
const AT_ONCE_MAX = 16

/** What a file's ending stands for; undefined for a file that is no volume. */
export const formatOf = (path: string): ImageFormat | undefined => FORMATS[endingOf(path)]

/** The place of a volume that is to be made. Throws DriverError, `refused`, where no file may be called so. */
export function placeFor(folder: string, name: string, format: ImageFormat): string {
  const ending = Object.keys(FORMATS).find(each => FORMATS[each] === format) ?? ''
  const path = pathIn(demandPath(folder), `${name}${ending}`)
  const isName = name !== '' && name !== '.' && name !== '..' && isFileName(`${name}${ending}`)
  if (isName && parsePath(path) !== undefined) return path
  throw new DriverError('refused', `${JSON.stringify(name)} cannot be the name of a volume in ${folder}`)
}

/** Throws DriverError, `refused`, for a name that a volume of the folder has, whatever its format. */
export async function assertFree(storage: StorageBackEnd, path: string): Promise<void> {
  const [folder, name] = [folderOf(path), nameOf(path)]
  const there = await storage.filesNamed(folder, name)
  if (there.some(file => formatOf(file.path) !== undefined)) {
    throw new DriverError('refused', `the name ${name} is taken in ${folder}`)
  }
}

/** A volume that was looked at, and what lies in the drives of the host's machines and their snapshots. */
export interface Found {
  readonly volume: Volume
  /** Undefined of a medium, which is what it is. */
  readonly facts: ImageFacts | undefined
  readonly attachments: readonly Attachment[]
}

/**
 * Looks at a volume; `attached` tells the attachments where somebody asks for them anyway. Rejects as `not-found` where
 * there is none, as `refused` where the file is no image.
 */
export async function findVolume(
  storage: StorageBackEnd,
  location: string,
  attached: () => Promise<readonly Attachment[]> = () => storage.attachments(),
): Promise<Found> {
  const path = parsePath(location)
  const format = path === undefined ? undefined : formatOf(path)
  if (path === undefined || format === undefined) {
    throw new DriverError('not-found', `${JSON.stringify(location)} is no place of a volume`)
  }
  const reading = format === 'raw' ? undefined : storage.image(path)
  // Whether the file is there at all decides what that it cannot be read is called.
  const settled = reading?.catch((error: unknown) => error)
  const [file, attachments] = await Promise.all([storage.file(path), attached(), settled])
  if (file === undefined) throw new DriverError('not-found', `the host has no volume ${location}`)
  const facts = await reading
  const inFolder = { ...file, path: pathIn(folderOf(path), baseOf(file.path)) }
  return { volume: volumeOf(inFolder, format, facts, spellings(attachments)), facts, attachments }
}

/** The volumes of a folder. A file that only looks like an image by its name, or goes away just now, is none. */
export async function listVolumes(storage: StorageBackEnd, known: KnownFacts, folder: string): Promise<Volume[]> {
  const path = demandPath(folder)
  const [isThere, files, attachments] = await Promise.all([
    storage.hasFolder(path),
    storage.files(path),
    storage.attachments(),
  ])
  if (!isThere) throw new DriverError('refused', `the host has no folder ${folder}`)
  const spelled = spellings(attachments)
  const volumes = await lookAtEach(files, file => volumeIn(storage, known, { file, folder: path, spelled }))
  return volumes.filter(volume => volume !== undefined).toSorted((a, b) => (a.location < b.location ? -1 : 1))
}

/** The volumes at these places, by what they were called here. The host tells of files by the folder. */
export async function findVolumes(
  storage: StorageBackEnd,
  known: KnownFacts,
  locations: readonly string[],
): Promise<ReadonlyMap<string, Volume>> {
  const paths = locations.flatMap(location => {
    const path = parsePath(location)
    return path === undefined || formatOf(path) === undefined ? [] : [{ location, path }]
  })
  const folders = new Map(paths.map(({ path }) => [pathKey(folderOf(path)), folderOf(path)]))
  const [listed, attachments] = await Promise.all([
    lookAtEach([...folders.values()], folder => storage.files(folder)),
    storage.attachments(),
  ])
  const files = new Map(listed.flat().map(file => [pathKey(file.path), file]))
  const spelled = spellings(attachments)
  const volumes = await lookAtEach(paths, async ({ location, path }) => {
    const file = files.get(pathKey(path))
    const volume = file && (await volumeIn(storage, known, { file, folder: folderOf(path), spelled }))
    return volume === undefined ? [] : [[location, volume] as const]
  })
  return new Map(volumes.flat())
}

/** What `look` says to each of a long list. */
async function lookAtEach<T, R>(list: readonly T[], look: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  for (let first = 0; first < list.length; first += AT_ONCE_MAX) {
    answers.push(...(await Promise.all(list.slice(first, first + AT_ONCE_MAX).map(look))))
  }
  return answers
}

/** A file of a folder, and how paths are spelled elsewhere. */
interface Listed {
  readonly file: HostFile
  readonly folder: string
  readonly spelled: ReadonlyMap<string, string>
}

/** The volume that a file is; undefined of one that is none. */
async function volumeIn(
  storage: StorageBackEnd,
  known: KnownFacts,
  { file, folder, spelled }: Listed,
): Promise<Volume | undefined> {
  const format = formatOf(file.path)
  if (format === undefined) return undefined
  const inFolder = { ...file, path: pathIn(folder, baseOf(file.path)) }
  try {
    const facts = format === 'raw' ? undefined : await factsOf(storage, known, file)
    return volumeOf(inFolder, format, facts, spelled)
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'refused') return undefined
    throw error
  }
}

async function factsOf(storage: StorageBackEnd, known: KnownFacts, file: HostFile): Promise<ImageFacts> {
  const before = known.of(file)
  if (before !== undefined) return before
  const facts = await storage.image(file.path)
  known.remember(file, facts)
  return facts
}

/** How paths are spelled by whoever put their files into drives. */
function spellings(attachments: readonly Attachment[]): ReadonlyMap<string, string> {
  const plain = attachments.flatMap(({ path }) => parsePath(path) ?? [])
  return new Map(plain.toReversed().map(path => [pathKey(path), path]))
}

/**
 * A volume has one location, though Windows tells no case apart: as the machine spells it that has it, else as it is on
 * the disk, else as the host lists it.
 */
function volumeOf(
  file: HostFile,
  format: ImageFormat,
  facts: ImageFacts | undefined,
  spelled: ReadonlyMap<string, string>,
): Volume {
  const key = pathKey(file.path)
  const onDisk = facts?.path !== undefined && pathKey(facts.path) === key ? facts.path : undefined
  const location = spelled.get(key) ?? onDisk ?? file.path
  return {
    location,
    name: nameOf(location),
    format,
    virtualBytes: facts?.virtualBytes ?? file.bytes,
    physicalBytes: file.bytes,
    ...(endingOf(location) === CD_ENDING && { readOnly: true }),
  }
}
