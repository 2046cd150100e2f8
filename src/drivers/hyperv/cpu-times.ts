import { type CimInstance, like, wql } from '../../protocols/wsman/index.ts'
import { type Asker, counters } from './cimv2/counters.ts'

/** What Windows counts in: 100 ns. */
const UNITS_PER_MS = 10_000

/** How long virtual processors have run since their machine was started. */
export class CpuTimes {
  readonly #client: Asker

  constructor(client: Asker) {
    this.#client = client
  }

  /**
   * Of each virtual processor of a machine of this name, in milliseconds, by number; none of one that is off. A machine is
   * known by nothing but its name here: undefined where several that are on have it, whose counters nobody can tell apart.
   * Source: Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor, as hosts name its instances: `vm-1:Hv VP 0`; those
   * of one name have a number behind, as Windows gives it to all counters.
   */
  async of(name: string): Promise<readonly number[] | undefined> {
    const pattern = like`${name}:Hv VP %`
    const query = wql`SELECT Name, PercentTotalRunTime FROM Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor WHERE Name LIKE ${pattern}`
    const found = timesIn(await counters(this.#client, query))
    // Queries do not look at the case of names, by which machines may differ.
    return found.size === 0 ? [] : (found.get(name) ?? undefined)
  }

  /** As `of`, of every machine that is on, by name; null where several have it. */
  async ofAll(): Promise<ReadonlyMap<string, readonly number[] | null>> {
    const query = wql`SELECT Name, PercentTotalRunTime FROM Win32_PerfRawData_HvStats_HyperVHypervisorVirtualProcessor`
    return timesIn(await counters(this.#client, query))
  }
}

/** By the names of machines; null for one that nobody can tell from another. */
function timesIn(rows: readonly CimInstance[]): ReadonlyMap<string, readonly number[] | null> {
  const machines = new Map<string, Map<number, number> | null>()
  for (const row of rows) {
    const { name, processor, twin } = INSTANCE.exec(row.string('Name') ?? '')?.groups ?? {}
    if (name === undefined) continue
    const times = machines.get(name) ?? new Map<number, number>()
    const isTwin = twin !== undefined || machines.get(name) === null || times.has(Number(processor))
    machines.set(name, isTwin ? null : times.set(Number(processor), timeIn(row)))
  }
  const inOrder = (times: ReadonlyMap<number, number>) =>
    Array.from(times.keys(), (_, number) => times.get(number) ?? 0)
  return new Map([...machines].map(([name, times]) => [name, times === null ? null : inOrder(times)]))
}

const INSTANCE = /^(?<name>.*):Hv VP (?<processor>\d{1,4})(?<twin>\D.*)?$/i

const timeIn = (row: CimInstance): number => Number(row.bigint('PercentTotalRunTime') ?? 0n) / UNITS_PER_MS
