import { readFile } from 'node:fs/promises'
import type { CpuTime } from '../driver.ts'

/** In what Linux counts CPU time for programs: USER_HZ, 100 a second on every machine that QEMU's `pc` is run on. */
const TICK_MS = 10

/**
 * The CPU time that a thread has used, in milliseconds. Rejects with the system's error where it is gone.
 * Source: proc(5), /proc/PID/task/TID/stat: 14 utime, 15 stime.
 */
export async function threadMs(pid: number, threadId: number): Promise<number> {
  const line = await readFile(`/proc/${pid}/task/${threadId}/stat`, 'utf8')
  // The second field, the name in parentheses, may hold blanks and parentheses itself.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
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
