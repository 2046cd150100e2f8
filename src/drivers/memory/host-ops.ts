import type { HostOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import { VCPUS_MAX } from './demands.ts'
import type { MemoryHost } from './host.ts'

const MHZ = 2_400

/** What a memory host tells of itself. Its memory is free but for what domains hold. */
export const hostOps = (host: MemoryHost, connection: Connection): HostOps => ({
  info: () => connection.call('host.info', () => host.info),
  hardware: () =>
    connection.call('host.hardware', () => ({
      model: 'memory',
      mhz: MHZ,
      nodes: 1,
      socketsPerNode: 1,
      coresPerSocket: host.info.cpus.length,
      threadsPerCore: 1,
    })),
  memoryFree: () =>
    connection.call('host.memoryFree', () => {
      const held = [...host.active].filter(({ now }) => now.state !== 'suspended')
      return Math.max(
        0,
        held.reduce((free, { active }) => free - (active?.config.memoryBytes ?? 0), host.info.memoryBytes),
      )
    }),
  vcpusMax: () => connection.call('host.vcpusMax', () => VCPUS_MAX),
})
