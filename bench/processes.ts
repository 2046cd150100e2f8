/** What processes of this machine use. Source: proc(5). */

import { readFile } from 'node:fs/promises'

/** Clock ticks of `/proc/PID/stat` in a second: always 100 for programs. */
const TICKS_PER_S = 100

/** The memory of a process in MiB; pages that others share too count by their share. */
export async function pssMib(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) / 1024
}

/** CPU time that a process has used, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  // The name, in brackets, may hold blanks; user and system time are the 14th and 15th of all.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
}
