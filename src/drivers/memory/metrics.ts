import type { MetricsOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'
import { activeOf } from './life.ts'
import type { Machine } from './machine.ts'

/** What guests of a memory host say runs in them, once they have booted. */
const TOOLS = { 'memory-guest-agent': '1.0' } as const
const BOOTED_MS = 50

/** The counters of a memory host, by its own clock. */
export function metricsOps(host: MemoryHost, connection: Connection): MetricsOps {
  return {
    domain: id =>
      connection.call('metrics.domain', () => {
        const { guest, usage, balloon } = activeOf(host.domain(id), 'measure', ['running', 'paused'])
        const { lifeMs, uptimeMs } = guest
        return {
          atMs: host.clock.nowMs(),
          memoryBytes: balloon.bytes(lifeMs),
          vcpuMs: usage.vcpuMs(lifeMs),
          disks: usage.disks(lifeMs),
          nics: usage.nics(lifeMs),
          tools: uptimeMs < BOOTED_MS ? {} : TOOLS,
        }
      }),
    vcpus: id =>
      connection.call('metrics.vcpus', () => {
        const { guest, usage } = activeOf(host.domain(id), 'measure', ['running', 'paused'])
        return usage.vcpuMs(guest.lifeMs)
      }),
    cpus: () => connection.call('metrics.cpus', () => host.cpuMeter.read(machines(host))),
  }
}

function* machines({ active }: MemoryHost): Generator<Machine> {
  for (const domain of active) if (domain.active !== null) yield domain.active
}
