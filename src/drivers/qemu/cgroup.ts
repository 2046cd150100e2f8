import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type DomainId, DriverError, type Scheduling } from '../driver.ts'
import { systemCode } from './files.ts'

/** A process of QEMU's, and those of its threads that execute the virtual CPUs, by number. */
export interface VcpuThreads {
  readonly pid: number
  readonly threads: readonly number[]
}

/** What a control group is to leave a domain. */
export type Share = Pick<Scheduling, 'weight' | 'capPercent'>

/** Control groups for domains: the kernel's way of sharing out CPU time. */
export interface CpuGroups {
  /**
   * Puts the domain into groups of its own with this share, or gives those it has this share. Throws the system's error
   * or DriverError, having put back what was.
   */
  set(id: DomainId, qemu: VcpuThreads, share: Share): void
  /** Whether the domain has groups. */
  has(id: DomainId): boolean
  /** Puts what lives back where it came from, and removes the domain's groups. */
  release(id: DomainId, qemu?: VcpuThreads): void
}

/** The weight that everybody has in our words, and what the kernel calls the same. */
const WEIGHT = { ours: 256, shares: 1024, v2: 100 }
const V2_WEIGHT = { min: 1, max: 10_000 }
/** Over what time a cap counts. */
const PERIOD_US = 100_000
/** The least that the kernel takes for a quota. */
const QUOTA_US_MIN = 1_000

const PREFIX = 'polyvisor-'

/**
 * Where this process may make groups; undefined where it may not, or the kernel has none. Version 1 of the interface is
 * taken where the controller `cpu` is there, else version 2.
 * Source: Linux, admin-guide/cgroup-v1 and admin-guide/cgroup-v2; proc(5), mountinfo; cgroups(7).
 */
export function findCpuGroups(
  mounts = readText('/proc/self/mountinfo'),
  own = readText('/proc/self/cgroup'),
): CpuGroups | undefined {
  const [v1] = mountsOf(mounts, 'cgroup').filter(mount => mount.options.includes('cpu'))
  if (v1 !== undefined) {
    const place = placeIn(v1, own, line => line[1]?.split(',').includes('cpu') === true)
    return isWritable(place) ? versionOne(place) : undefined
  }
  const [v2] = mountsOf(mounts, 'cgroup2')
  if (v2 === undefined) return undefined
  const place = placeIn(v2, own, line => line[0] === '0')
  // A group that holds processes cannot hand a controller on; where we are in one, the one above may be ours as well.
  const base = [place, dirname(place)].find(mayHandCpuOn)
  return base === undefined || !isWritable(base) ? undefined : versionTwo(base, place)
}

interface Mount {
  /** The part of the hierarchy that is mounted. */
  readonly root: string
  readonly point: string
  readonly options: readonly string[]
}

function mountsOf(text: string, type: string): Mount[] {
  return text.split('\n').flatMap(line => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root, point] = before.split(' ')
    const [found, , options = ''] = after.split(' ')
    return found === type && root !== undefined && point !== undefined
      ? [{ root, point, options: options.split(',') }]
      : []
  })
}

/** The group that this process is in, as a folder; where that is not mounted, the topmost that is. */
function placeIn({ root, point }: Mount, own: string, isIt: (line: readonly string[]) => boolean): string {
  const path =
    own
      .split('\n')
      .map(line => line.split(':'))
      .find(isIt)
      ?.slice(2)
      .join(':') ?? '/'
  const below = root === '/' ? path : path.startsWith(`${root}/`) ? path.slice(root.length) : '/'
  const folder = join(point, below)
  return existsSync(folder) ? folder : point
}

const controllersIn = (folder: string, file: string): string[] => readText(join(folder, file)).trim().split(/\s+/)

function mayHandCpuOn(folder: string): boolean {
  if (controllersIn(folder, 'cgroup.subtree_control').includes('cpu')) return true
  const isEmpty = readText(join(folder, 'cgroup.procs')).trim() === ''
  return isEmpty && controllersIn(folder, 'cgroup.controllers').includes('cpu')
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    // Another user's, or mounted for reading only: either way no group can be made.
    return false
  }
}

/**
 * One group for each virtual CPU, beside ours: so that a cap is each CPU's own, and a weight that of a thread, as the
 * threads of a domain without groups have it. The other threads of QEMU stay where they are.
 */
function versionOne(base: string): CpuGroups {
  const folderOf = (id: DomainId, number: number) => join(base, `${PREFIX}${id}.${number}`)
  const foldersOf = (id: DomainId) => namesIn(base, `${PREFIX}${id}.`)
  const release = (id: DomainId, qemu?: VcpuThreads) => {
    for (const thread of qemu?.threads ?? []) writeFileSync(join(base, 'tasks'), `${thread}`)
    for (const folder of foldersOf(id)) rmdirSync(folder)
  }
  return {
    has: id => foldersOf(id).length > 0,
    release,
    set(id, qemu, { weight, capPercent }) {
      const wasThere = foldersOf(id).length > 0
      const undo: (() => void)[] = wasThere ? [] : [() => release(id, qemu)]
      allOrNothing(undo, () => {
        for (const [number, thread] of qemu.threads.entries()) {
          const folder = folderOf(id, number)
          mkdirSync(folder, { recursive: true })
          const shares = Math.max(2, Math.round((weight * WEIGHT.shares) / WEIGHT.ours))
          change(join(folder, 'cpu.shares'), `${shares}`, undo)
          change(join(folder, 'cpu.cfs_period_us'), `${PERIOD_US}`, undo)
          change(join(folder, 'cpu.cfs_quota_us'), capPercent === null ? '-1' : `${quotaUs(capPercent)}`, undo)
          writeFileSync(join(folder, 'tasks'), `${thread}`)
        }
      })
    },
  }
}

/**
 * One group for each domain, with all of QEMU in it, since threads cannot be in groups of their own without more: the
 * weight counts for each virtual CPU, and the cap for all together, that of one times their number.
 */
function versionTwo(base: string, home: string): CpuGroups {
  const folderOf = (id: DomainId) => join(base, `${PREFIX}${id}`)
  const release = (id: DomainId, qemu?: VcpuThreads) => {
    if (!existsSync(folderOf(id))) return
    // Back to where we are, which is where QEMU was started.
    if (qemu !== undefined) writeFileSync(join(home, 'cgroup.procs'), `${qemu.pid}`)
    rmdirSync(folderOf(id))
  }
  return {
    has: id => existsSync(folderOf(id)),
    release,
    set(id, qemu, { weight, capPercent }) {
      const folder = folderOf(id)
      const undo: (() => void)[] = existsSync(folder) ? [] : [() => release(id, qemu)]
      allOrNothing(undo, () => {
        const control = join(base, 'cgroup.subtree_control')
        if (!controllersIn(base, 'cgroup.subtree_control').includes('cpu')) writeFileSync(control, '+cpu')
        mkdirSync(folder, { recursive: true })
        const wanted = Math.round((weight * qemu.threads.length * WEIGHT.v2) / WEIGHT.ours)
        const share = Math.min(V2_WEIGHT.max, Math.max(V2_WEIGHT.min, wanted))
        const quota = capPercent === null ? 'max' : `${quotaUs(capPercent * qemu.threads.length)}`
        change(join(folder, 'cpu.weight'), `${share}`, undo)
        change(join(folder, 'cpu.max'), `${quota} ${PERIOD_US}`, undo)
        writeFileSync(join(folder, 'cgroup.procs'), `${qemu.pid}`)
      })
    },
  }
}

const quotaUs = (percent: number): number => Math.max(QUOTA_US_MIN, Math.round((percent * PERIOD_US) / 100))

function change(file: string, value: string, undo: (() => void)[]): void {
  const before = readText(file).trim()
  if (before === value) return
  writeFileSync(file, value)
  if (before !== '') undo.push(() => writeFileSync(file, before))
}

function allOrNothing(undo: (() => void)[], body: () => void): void {
  try {
    body()
  } catch (error) {
    for (const step of undo.toReversed()) {
      try {
        step()
      } catch (cause) {
        throw new DriverError('refused', `${String(error)}; and it could not be taken back: ${String(cause)}`, {
          cause,
        })
      }
    }
    throw error
  }
}

const namesIn = (folder: string, prefix: string): string[] =>
  readdirSync(folder)
    .filter(name => name.startsWith(prefix))
    .map(name => join(folder, name))

/** The text of a file; empty where there is none. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return ''
    throw error
  }
}
