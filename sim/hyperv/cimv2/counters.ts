import type { Instance, Schema } from '../cim/model.ts'
import type { Host } from '../host/host.ts'
import { type Row, rowOf } from '../v2/rows.ts'

// What the classes of performance counters have in common.

/** The sum of all instances, where a class has one. */
export const TOTAL = '_Total'

/** Windows counts time in units of 100 ns since 1601. */
const UNITS_PER_MS = 10_000n
const EPOCH_MS = 11_644_473_600_000

/** Makes rows of a class. Counters are never NULL: what is not counted is 0. */
export function counterRows(host: Host, schema: Schema, className: string): (name: string, counted: Row) => Instance {
  const idle: Record<string, bigint | number> = {}
  for (const { name, type } of schema.find(className)?.properties ?? []) {
    if (type === 'uint64') idle[name] = 0n
    else if (type === 'uint32') idle[name] = 0
  }
  return (name, counted) => rowOf(schema, className, { ...idle, ...timestamps(host), ...counted, Name: name })
}

/** How long the host has been up, in units of 100 ns. */
export const upTime = (host: Host): bigint => units(host.clock.now() - host.state.bootedAt)

/** Milliseconds in units of 100 ns. */
export const units = (ms: number): bigint => BigInt(Math.max(0, Math.floor(ms))) * UNITS_PER_MS

/** Instances of one name are told apart by a number behind it, from the second on. Source: as Windows tells of processes. */
export function* numbered<T>(named: Iterable<readonly [name: string, what: T]>): Iterable<readonly [string, T]> {
  const seen = new Map<string, number>()
  for (const [name, what] of named) {
    const key = name.toLowerCase()
    const number = seen.get(key) ?? 0
    seen.set(key, number + 1)
    yield [number === 0 ? name : `${name}#${number}`, what]
  }
}

function timestamps(host: Host): Row {
  const now = BigInt(Math.floor(host.clock.now()) + EPOCH_MS) * UNITS_PER_MS
  const perSecond = 10_000_000n
  return {
    Frequency_Object: perSecond,
    Frequency_PerfTime: perSecond,
    Frequency_Sys100NS: perSecond,
    Timestamp_Object: now,
    Timestamp_PerfTime: upTime(host),
    Timestamp_Sys100NS: now,
  }
}
