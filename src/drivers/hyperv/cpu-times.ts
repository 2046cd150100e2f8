import { like, type WsmanClient, wql } from '../../protocols/wsman/index.ts'

/** What Windows counts in: 100 ns. */
const UNITS_PER_MS = 10_000

/** How long virtual processors have run since their machine was started. */
export class CpuTimes {
  readonly #client: WsmanClient

  constructor(client: WsmanClient) {
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
    const rows = await this.#client.query(query, { namespace: 'root/cimv2' })
    const times = new Map<number, number>()
    for (const row of rows) {
      const number = Number(/:Hv VP (\d{1,4})$/i.exec(row.string('Name') ?? '')?.[1] ?? Number.NaN)
      if (Number.isNaN(number) || times.has(number)) return undefined
      times.set(number, Number(row.bigint('PercentTotalRunTime') ?? 0n) / UNITS_PER_MS)
    }
    return Array.from(times.keys(), (_, number) => times.get(number) ?? 0)
  }
}
