import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { DriverError } from '../driver.ts'
import { systemCode } from './files.ts'
import { CHILD_ENVIRONMENT } from './installation.ts'

const run = promisify(execFile)
const TASKSET_MS = 10_000
/** Larger than any machine's; a bound on what a list of numbers is unfolded to. */
const CPU_MAX = 65_535

/** The CPUs of this machine that programs may be run on. Source: Linux, Documentation/ABI, /sys/devices/system/cpu. */
export const onlineCpus = (): readonly number[] => parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'utf8'))

/** The CPUs that a thread may run on. Throws the system's error where it is gone. Source: proc(5), Cpus_allowed_list. */
export function allowedCpus(pid: number, thread: number): readonly number[] {
  const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
  return parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? '')
}

/** The numbers in a list such as `0-3,7`. Throws RangeError for what is none. */
export function parseCpuList(text: string): readonly number[] {
  if (text.trim() === '') return []
  return text
    .trim()
    .split(',')
    .flatMap(part => {
      const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
      const [from, to] = [Number(first), Number(last)]
      if (!(from <= to && to <= CPU_MAX)) throw new RangeError(`${part} is no range of CPUs`)
      return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    })
}

/**
 * Binds a thread to these CPUs. Rejects as `refused` where the machine does not let it run on each of them, which is
 * then what has come about: putting back is the caller's.
 */
export async function bind(pid: number, thread: number, cpus: readonly number[]): Promise<void> {
  if (sameCpus(allowedCpus(pid, thread), cpus)) return
  try {
    // Source: taskset(1) of util-linux.
    const options = { timeout: TASKSET_MS, env: CHILD_ENVIRONMENT }
    await run('taskset', ['--cpu-list', '--pid', cpus.join(), `${thread}`], options)
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') {
      throw new DriverError('refused', 'taskset is not on this machine; on Debian: apt-get install util-linux', {
        cause,
      })
    }
    throw new DriverError('refused', `CPUs ${cpus.join()}: ${said(cause)}`, { cause })
  }
  if (!sameCpus(allowedCpus(pid, thread), cpus)) {
    throw new DriverError('refused', `this machine does not let its guests run on all of the CPUs ${cpus.join()}`)
  }
}

function sameCpus(a: readonly number[], b: readonly number[]): boolean {
  const wanted = new Set(b)
  return a.length === wanted.size && a.every(cpu => wanted.has(cpu))
}

function said(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return text === '' ? String(error) : text
}
