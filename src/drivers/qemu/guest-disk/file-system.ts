import { damaged } from './reader.ts'

/** A file, folder or symbolic link of a guest. */
export interface GuestNode {
  readonly kind: 'file' | 'folder' | 'link' | 'other'
  readonly bytes: number
  /** What a folder has under this name; undefined where it has nothing. */
  lookup(name: string): Promise<GuestNode | undefined>
  /** What a file or link holds, in pieces. Rejects as `refused` what has more than `bytesMax`. */
  content(bytesMax: number): AsyncIterable<Buffer>
}

/** A file system of a guest, for reading. */
export interface GuestFileSystem {
  readonly type: string
  /** As tools show it; empty where there is none. */
  readonly uuid: string
  readonly label: string
  root(): Promise<GuestNode>
}

/** Where a path leads. `path` has no links any more, as far as it could be followed. */
export interface Found {
  readonly path: string
  /** Undefined where nothing is there. */
  readonly node: GuestNode | undefined
}

/** Source: Linux, MAXSYMLINKS, PATH_MAX. */
const LINKS_MAX = 40
const PATH_BYTES_MAX = 4096
const COMPONENTS_MAX = 512

/** Follows a path from the root of a file system, over symbolic links; these cannot lead out of it. */
export async function follow(fileSystem: GuestFileSystem, path: string): Promise<Found> {
  const root = await fileSystem.root()
  const trail: { readonly name: string; readonly node: GuestNode }[] = []
  const spell = (rest: readonly string[] = []) => `/${[...trail.map(({ name }) => name), ...rest].join('/')}`
  let left = componentsOf(path)
  for (let links = 0; left.length > 0; ) {
    const [name = '', ...others] = left
    left = others
    if (name === '..') {
      trail.pop()
      continue
    }
    const here = trail.at(-1)?.node ?? root
    const node = here.kind === 'folder' ? await here.lookup(name) : undefined
    if (node === undefined) return { path: spell([name, ...left]), node: undefined }
    if (node.kind !== 'link') {
      trail.push({ name, node })
      continue
    }
    if (++links > LINKS_MAX) throw damaged(`too many symbolic links lead on from ${path}`)
    const target = (await readWhole(node, PATH_BYTES_MAX)).toString('utf8')
    if (target.startsWith('/')) trail.length = 0
    left = [...componentsOf(target), ...left]
    if (left.length > COMPONENTS_MAX) throw damaged(`the path ${path} becomes too long by symbolic links`)
  }
  return { path: spell(), node: trail.at(-1)?.node ?? root }
}

function componentsOf(path: string): string[] {
  const components = path.split('/').filter(name => name !== '' && name !== '.')
  if (Buffer.byteLength(path) > PATH_BYTES_MAX || components.length > COMPONENTS_MAX) {
    throw damaged(`a path is too long: ${path.slice(0, 100)}…`)
  }
  return components
}

/** All that a file or link holds. */
export async function readWhole(node: GuestNode, bytesMax: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of node.content(bytesMax)) pieces.push(piece)
  return Buffer.concat(pieces)
}
