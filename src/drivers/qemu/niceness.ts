import { readFileSync, writeFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { DriverError } from '../driver.ts'
import type { VcpuThreads } from './cgroup.ts'
import { systemCode } from './files.ts'

/** The weight that is niceness 0. */
const WEIGHT_OF_ZERO = 256
/** One step of niceness is worth a quarter. Source: sched(7), and the kernel's table sched_prio_to_weight. */
const STEP = 1.25
const NICE = { min: -20, max: 19 }

/** The niceness that comes nearest to a weight. */
export function niceness(weight: number): number {
  const steps = Math.round(-Math.log(weight / WEIGHT_OF_ZERO) / Math.log(STEP))
  // Not the negative zero.
  return Math.min(NICE.max, Math.max(NICE.min, steps)) + 0
}

interface Nice {
  readonly now: number
  readonly set: (nice: number) => void
}

/**
 * Gives the threads of virtual CPUs this niceness, and the session of QEMU too, since the kernel may weigh that instead.
 * Throws as `refused` where only a superuser may, with everything as it was.
 */
export function setNiceness({ pid, threads }: VcpuThreads, wanted: number): void {
  const ofThreads: Nice[] = threads.map(thread => ({
    now: getPriority(thread),
    set: nice => setPriority(thread, nice),
  }))
  const ofSession = sessionNice(pid)
  const all = [...ofThreads, ...(ofSession === undefined ? [] : [ofSession])].filter(({ now }) => now !== wanted)
  const done: Nice[] = []
  try {
    for (const each of all) {
      each.set(wanted)
      done.push(each)
    }
  } catch (cause) {
    for (const each of done) each.set(each.now)
    const way = 'no control group can be made, and only a superuser may give a thread more than it has'
    throw new DriverError('refused', `the weight is not to be had here: ${way}`, { cause })
  }
}

/** Undefined where the kernel does not group by sessions. Source: sched(7), "The autogroup feature". */
function sessionNice(pid: number): Nice | undefined {
  const file = `/proc/${pid}/autogroup`
  try {
    const nice = /nice (-?\d+)/.exec(readFileSync(file, 'utf8'))?.[1]
    return nice === undefined ? undefined : { now: Number(nice), set: value => writeFileSync(file, `${value}`) }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
