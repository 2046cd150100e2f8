import { type DomainId, DriverError, type Scheduling } from '../driver.ts'
import type { CpuGroups, VcpuThreads } from './cgroup.ts'
import { allowedCpus, bind, onlineCpus } from './cpu-affinity.ts'
import { systemCode } from './files.ts'
import type { Machine } from './machine.ts'
import { niceness, setNiceness } from './niceness.ts'

/** What domains get of the host's CPUs: all or nothing of what is asked, and undone when they halt. */
export interface Scheduler {
  /**
   * Gives the threads of a domain's virtual CPUs what they are to get. Rejects as `refused` where this machine has no
   * way to do a part of it, having changed nothing, or else naming what remains; as `bad-state` where QEMU has ended.
   */
  apply(id: DomainId, qemu: VcpuThreads, scheduling: Scheduling): Promise<void>
  /** Removes what the kernel keeps for a domain that does not run. Throws as `refused`. */
  release(id: DomainId): void
}

/** What everybody gets. */
export const PLAIN: Scheduling = { weight: 256, capPercent: null, affinity: null }

const WEIGHT_MAX = 65_535
const CAP_PERCENT_MIN = 1

/**
 * Affinity by the kernel's own means; weight and cap by control groups, or where none can be made the weight by
 * niceness: a step is a quarter more or less, and only a superuser may go back up.
 */
export function createScheduler(groups: CpuGroups | undefined): Scheduler {
  return {
    async apply(id, qemu, scheduling) {
      assertPossible(scheduling)
      if (new Set(qemu.threads).size < qemu.threads.length) {
        throw new DriverError('refused', 'the virtual CPUs of this domain share a thread')
      }
      await unlessGone(id, () => applyAll(id, qemu, scheduling, groups))
    },
    release(id) {
      try {
        groups?.release(id)
      } catch (cause) {
        throw new DriverError('refused', `the control groups of domain ${id} remain: ${String(cause)}`, { cause })
      }
    },
  }
}

/** The threads that execute the virtual CPUs of a machine. Rejects as `bad-state` where QEMU has ended. */
export async function threadsOf(machine: Machine): Promise<VcpuThreads> {
  const cpus = await machine.execute('query-cpus-fast')
  return { pid: machine.process.pid, threads: cpus.map(({ threadId }) => threadId) }
}

function assertPossible({ weight, capPercent, affinity }: Scheduling): void {
  if (!(Number.isSafeInteger(weight) && weight >= 1 && weight <= WEIGHT_MAX)) {
    throw new DriverError('refused', `a weight is from 1 to ${WEIGHT_MAX}, not ${weight}`)
  }
  if (capPercent !== null && !(capPercent >= CAP_PERCENT_MIN && Number.isFinite(capPercent))) {
    throw new DriverError('refused', `a cap is at least ${CAP_PERCENT_MIN} percent, not ${capPercent}`)
  }
  if (affinity === null) return
  if (affinity.length === 0) throw new DriverError('refused', 'a domain needs at least one CPU')
  const online = new Set(onlineCpus())
  const missing = affinity.filter(cpu => !online.has(cpu))
  if (missing.length > 0) throw new DriverError('refused', `this machine has no CPU ${missing.join(', ')}`)
}

async function applyAll(
  id: DomainId,
  qemu: VcpuThreads,
  { weight, capPercent, affinity }: Scheduling,
  groups: CpuGroups | undefined,
): Promise<void> {
  const before = qemu.threads.map(thread => ({ thread, cpus: allowedCpus(qemu.pid, thread) }))
  // All means what QEMU as a whole may use: of a machine's CPUs, not all need be ours.
  const cpus = affinity ?? allowedCpus(qemu.pid, qemu.pid)
  try {
    for (const { thread } of before) await bind(qemu.pid, thread, cpus)
    setShare(id, qemu, { weight, capPercent }, groups)
  } catch (error) {
    await putBack(error, async () => {
      for (const { thread, cpus: had } of before) await bind(qemu.pid, thread, had)
    })
  }
}

function setShare(
  id: DomainId,
  qemu: VcpuThreads,
  share: Pick<Scheduling, 'weight' | 'capPercent'>,
  groups: CpuGroups | undefined,
): void {
  if (groups !== undefined) {
    const isPlain = share.weight === PLAIN.weight && share.capPercent === null
    if (!isPlain || groups.has(id)) groups.set(id, qemu, share)
    return
  }
  if (share.capPercent !== null) {
    throw new DriverError('refused', 'a cap needs a control group of the controller cpu, which cannot be made here')
  }
  setNiceness(qemu, niceness(share.weight))
}

/** Rejects with the error, or where even putting back fails with one that says so. */
async function putBack(error: unknown, undo: () => Promise<void>): Promise<never> {
  try {
    await undo()
  } catch (cause) {
    throw new DriverError('refused', `${String(error)}; and the affinity could not be put back: ${String(cause)}`, {
      cause,
    })
  }
  throw error
}

async function unlessGone(id: DomainId, body: () => Promise<void>): Promise<void> {
  try {
    await body()
  } catch (error) {
    if (error instanceof DriverError) throw error
    const code = systemCode(error)
    if (code === undefined) throw error
    // A thread that is gone: no such file in /proc, no such process for the kernel's calls.
    const isGone = code === 'ENOENT' || code === 'ESRCH'
    throw new DriverError(isGone ? 'bad-state' : 'refused', `domain ${id}: ${String(error)}`, { cause: error })
  }
}
