import { type WsmanClient, wql } from '../../../protocols/wsman/index.ts'
import type { CpuTime } from '../../driver.ts'

const CIMV2 = { namespace: 'root/cimv2' } as const
/** What Windows counts in: 100 ns. */
const UNITS_PER_MS = 10_000

/**
 * What the CPUs of a host have done since it was started, as the hypervisor counts it: Windows' own counters tell of the
 * processors that the hypervisor gives to Windows.
 * Source: Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor, as hosts name its instances: `Hv LP 0`.
 */
export async function readHostCpus(client: WsmanClient): Promise<readonly CpuTime[]> {
  const query = wql`SELECT Name, PercentTotalRunTime, PercentIdleTime FROM Win32_PerfRawData_HvStats_HyperVHypervisorLogicalProcessor`
  const rows = await client.query(query, CIMV2)
  return rows.flatMap(row => {
    const number = /^Hv LP (\d{1,5})$/i.exec(row.string('Name') ?? '')?.[1]
    if (number === undefined) return [] // The sum of all.
    const ms = (property: string) => Number(row.bigint(property) ?? 0n) / UNITS_PER_MS
    return [{ number: Number(number), busyMs: ms('PercentTotalRunTime'), idleMs: ms('PercentIdleTime') }]
  })
}
