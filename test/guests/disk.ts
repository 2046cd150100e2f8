import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const call = promisify(execFile)
const MIB = 1_048_576
const SECTOR = 512

/** What a file system is to hold, by path: content, a file of the host to copy, or the target of a symbolic link. */
export type Files = Readonly<
  Record<string, string | Buffer | { readonly copyOf: string } | { readonly linkTo: string }>
>

/** A partition of a test's disk. */
export interface PartitionPlan {
  /** What `mkfs.` has in its name: ext2, ext3, ext4 or vfat; none: it stays empty. */
  readonly type?: 'ext2' | 'ext3' | 'ext4' | 'vfat'
  readonly options?: readonly string[]
  readonly mib: number
  readonly files?: Files
}

/** Makes a raw image of one file system. */
export async function writeFileSystem(
  path: string,
  { type, options = [], mib, files = {} }: PartitionPlan,
): Promise<void> {
  await writeFile(path, '')
  await truncate(path, mib * MIB)
  if (type === undefined) return
  const tree = `${path}.tree`
  await writeTree(tree, files)
  if (type === 'vfat') {
    await call('mkfs.vfat', [...options, path])
    for (const name of await readdir(tree)) await call('mcopy', ['-s', '-i', path, join(tree, name), '::'])
  } else {
    await call(`mkfs.${type}`, ['-q', '-F', '-d', tree, ...options, path])
  }
  await rm(tree, { recursive: true })
}

async function writeTree(root: string, files: Files): Promise<void> {
  await mkdir(root, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name)
    await mkdir(dirname(path), { recursive: true })
    if (typeof content === 'string' || Buffer.isBuffer(content)) await writeFile(path, content)
    else if ('copyOf' in content) await cp(content.copyOf, path)
    else await symlink(content.linkTo, path)
  }
}

/** Makes a raw image of a disk with partitions, by a script of sfdisk; file systems go where the script's partitions are. */
export async function writeDisk(
  path: string,
  label: 'dos' | 'gpt',
  plans: readonly (PartitionPlan & { readonly number?: number; readonly sfdisk?: string })[],
): Promise<void> {
  await writeFile(path, '')
  await truncate(path, (plans.reduce((sum, { mib }) => sum + mib + 2, 0) + 4) * MIB)
  const lines = plans.map(({ mib, number, sfdisk = '' }, index) => `${number ?? index + 1} : size=${mib}MiB${sfdisk}`)
  const child = call('sfdisk', ['-q', path])
  child.child.stdin?.end(`label: ${label}\n${lines.join('\n')}\n`)
  await child
  const { stdout } = await call('sfdisk', ['-d', path])
  const starts = Array.from(stdout.matchAll(/start=\s*(\d+)/g), match => Number(match[1]) * SECTOR)
  for (const [index, plan] of plans.entries()) {
    if (plan.type === undefined) continue
    const part = `${path}.part`
    await writeFileSystem(part, plan)
    const place = [`if=${part}`, `of=${path}`, `seek=${starts[index]}`]
    await call('dd', [...place, 'bs=1M', 'oflag=seek_bytes', 'conv=notrunc,sparse', 'status=none'])
    await rm(part)
  }
}
