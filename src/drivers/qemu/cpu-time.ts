import { readFile } from 'node:fs/promises'
import type { CpuTime, VcpuMetrics } from '../driver.ts'
import { systemCode } from './files.ts'

/** In what Linux counts CPU time for programs: USER_HZ, 100 a second on every machine that QEMU's `pc` is run on. */
const TICK_MS = 10

const NS_PER_MS = 1_000_000
const KIB = 1_024

/**
 * The CPU time that a thread has used, in milliseconds. Rejects with the system's error where it is gone.
 * Source: proc(5), /proc/PID/task/TID/stat: 14 utime, 15 stime.
 */
export async function threadMs(pid: number, threadId: number): Promise<number> {
  const { userMs, systemMs } = readStat(await readFile(`/proc/${pid}/task/${threadId}/stat`, 'utf8'))
  return userMs + systemMs
}

/** As `threadMs`, with what else the kernel tells of the thread; of its waits only where it keeps them. */
export async function threadMetrics(pid: number, threadId: number, keepsWaits: boolean): Promise<VcpuMetrics> {
  const folder = `/proc/${pid}/task/${threadId}`
  const [stat, schedule, waits] = await Promise.all([
    readFile(`${folder}/stat`, 'utf8'),
    ifThere(`${folder}/schedstat`),
    keepsWaits ? ifThere(`${folder}/sched`) : undefined,
  ])
  const { userMs, systemMs, cpu } = readStat(stat)
  const [delayMs, waitMs] = [parseDelay(schedule), parseWait(waits)]
  const told = { ...(waitMs !== undefined && { waitMs }), ...(delayMs !== undefined && { delayMs }) }
  return { usedMs: userMs + systemMs, ...told, cpu }
}

/** Whether the kernel counts how long threads wait. Source: Linux, admin-guide/sysctl/kernel, sched_schedstats. */
export const keepsWaits = async (): Promise<boolean> =>
  (await ifThere('/proc/sys/kernel/sched_schedstats'))?.trim() === '1'

/** What a process has used with all its threads, and what it takes of the memory. Rejects as `threadMs`. */
export async function processUse(pid: number): Promise<{ userMs: number; systemMs: number; residentBytes: number }> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/status`, 'utf8'),
  ])
  const { userMs, systemMs } = readStat(stat)
  return { userMs, systemMs, residentBytes: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * KIB }
}

/** Source: proc(5), /proc/PID/stat: 14 utime, 15 stime, 39 processor. */
function readStat(line: string): { userMs: number; systemMs: number; cpu: number } {
  // The second field, the name in parentheses, may hold blanks and parentheses itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return {
    userMs: Number(fields[11]) * TICK_MS,
    systemMs: Number(fields[12]) * TICK_MS,
    cpu: Number(fields[36]),
  }
}

/**
 * How long a thread could have run and was not let, in milliseconds; undefined where the kernel does not count it.
 * Source: Linux, scheduler/sched-stats: nanoseconds on a CPU, nanoseconds that it waited for one, and how often it had one.
 */
export function parseDelay(text: string | undefined): number | undefined {
  const [, delayNs, turns] = /^\d+ (\d+) (\d+)/.exec(text ?? '') ?? []
  return delayNs === undefined || turns === '0' ? undefined : Number(delayNs) / NS_PER_MS
}

/**
 * How long a thread has waited, in milliseconds; undefined where the kernel keeps no statistics, as it does by itself.
 * Source: libvirt, src/qemu/qemu_driver.c, which reads `wait_sum`; Linux, kernel/sched/debug.c.
 */
export function parseWait(text: string | undefined): number | undefined {
  const waited = /^(?:se\.statistics\.)?wait_sum\s*:\s*([\d.]+)$/m.exec(text ?? '')?.[1]
  return waited === undefined ? undefined : Number(waited)
}

/** The text of a file that not every kernel has. */
async function ifThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    // Where the thread is gone, its other files say so.
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return undefined
    throw error
  }
}

/**
 * What the CPUs of this machine have done since it was started. Time that a hypervisor below took away counts as busy.
 * Source: proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
 */
export async function cpuTimes(): Promise<Required<CpuTime>[]> {
  return parseCpuTimes(await readFile('/proc/stat', 'utf8'))
}

/**
 * A reader of `cpuTimes` whose counters never go back, as those of Linux may by a tick or two while it moves time between
 * its columns. Source: proc(5), /proc/stat, iowait.
 */
export function steadyCpuTimes(): () => Promise<CpuTime[]> {
  const newest = new Map<number, Required<CpuTime>>()
  return async () =>
    (await cpuTimes()).map(({ number, busyMs, idleMs, kernelMs }) => {
      const before = newest.get(number)
      const time = {
        number,
        busyMs: Math.max(busyMs, before?.busyMs ?? 0),
        idleMs: Math.max(idleMs, before?.idleMs ?? 0),
        kernelMs: Math.max(kernelMs, before?.kernelMs ?? 0),
      }
      newest.set(number, time)
      return time
    })
}

/** The CPUs in the text of /proc/stat. */
export function parseCpuTimes(text: string): Required<CpuTime>[] {
  return [...text.matchAll(/^cpu(\d+) (.*)$/gm)].map(([, number, rest = '']) => {
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = rest
      .trim()
      .split(' ')
      .map(Number)
    const kernel = system + irq + softirq
    const busy = user + nice + kernel + steal
    return {
      number: Number(number),
      busyMs: busy * TICK_MS,
      idleMs: (idle + wait) * TICK_MS,
      kernelMs: kernel * TICK_MS,
    }
  })
}
