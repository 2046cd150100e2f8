import { type DomainId, type DomainMetrics, type MetricsOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import { BOOTED_MS } from './guest-memory.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import { activeOf } from './life.ts'
import type { Machine } from './machine.ts'

/** What guests of a memory host say runs in them, once they have booted. */
const TOOLS = { 'memory-guest-agent': '1.0' } as const
/** What of a guest's CPU time the host itself takes for it. */
const SYSTEM_SHARE = 0.1

const MEASURABLE = ['running', 'paused'] as const

/** The counters of a memory host, by its own clock. */
export function metricsOps(host: MemoryHost, connection: Connection): MetricsOps {
  const measurable = (id: DomainId) => activeOf(host.domain(id), 'measure', MEASURABLE)
  return {
    domain: id => connection.call('metrics.domain', () => measure(host, measurable(id))),
    domains: ids =>
      connection.call('metrics.domains', () =>
        ids.flatMap(id => {
          const machine = machineOf(host.domains.get(id))
          return machine === undefined ? [] : [{ id, ...measure(host, machine) }]
        }),
      ),
    vcpus: id =>
      connection.call('metrics.vcpus', () => {
        const machine = measurable(id)
        const { lifeMs } = machine.guest
        const states = machine.usage.vcpuStates(lifeMs, cpusOf(host, machine))
        return machine.usage.vcpuMs(lifeMs).map((usedMs, number) => ({ usedMs, ...states[number] }))
      }),
    // Images of a memory host are read and written, always.
    diskErrors: id =>
      connection.call('metrics.diskErrors', () => {
        measurable(id)
        return []
      }),
    cpus: () => connection.call('metrics.cpus', () => host.cpuMeter.read(machines(host))),
  }
}

/** The machine of a domain that can be measured. */
function machineOf(domain: MemoryDomain | undefined): Machine | undefined {
  const state = domain?.now.state
  return MEASURABLE.some(each => each === state) ? (domain?.active ?? undefined) : undefined
}

function measure(host: MemoryHost, machine: Machine): DomainMetrics {
  const { guest, usage, balloon, telling, config } = machine
  const { lifeMs, uptimeMs } = guest
  const vcpuMs = usage.vcpuMs(lifeMs)
  const memoryBytes = balloon.bytes(lifeMs)
  const totalMs = vcpuMs.reduce((sum, ms) => sum + ms, 0)
  const systemMs = totalMs * SYSTEM_SHARE
  // Their time is spread evenly over the CPUs of the host.
  const onCpus = host.info.cpus.map(() => totalMs / host.info.cpus.length)
  const seconds = config.platform?.memoryStatsSeconds
  return {
    atMs: host.clock.nowMs(),
    memoryBytes,
    guestMemory: telling.read(guest, seconds, ranMs => balloon.bytes(ranMs)),
    residentBytes: memoryBytes,
    vcpuMs,
    vcpus: usage.vcpuStates(lifeMs, cpusOf(host, machine)),
    cpu: { totalMs, userMs: totalMs - systemMs, systemMs, onCpus },
    disks: usage.disks(lifeMs),
    nics: usage.nics(lifeMs),
    tools: uptimeMs < BOOTED_MS ? {} : TOOLS,
  }
}

/** The CPUs of the host that virtual CPUs of a machine may be on. */
const cpusOf = ({ info }: MemoryHost, { config: { scheduling } }: Machine): readonly number[] =>
  scheduling?.affinity ?? info.cpus.map(({ number }) => number)

function* machines({ active }: MemoryHost): Generator<Machine> {
  for (const domain of active) if (domain.active !== null) yield domain.active
}
