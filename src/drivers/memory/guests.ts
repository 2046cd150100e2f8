import type { GuestInterface, GuestOps } from '../driver.ts'
import { Agent, interfacesOf } from './agent.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'
import { activeOf, guestOf } from './life.ts'

/** The guests of a memory host, which tell what can be foretold from their definitions. */
export function guestOps(host: MemoryHost, connection: Connection): GuestOps {
  const ask = <T>(operation: AskedFor, id: string, question: (agent: Agent) => T): Promise<T> =>
    connection.call(`guest.${operation}`, () => question(Agent.of(host.domain(id))))
  const asking =
    <T>(operation: AskedFor, question: (agent: Agent) => T) =>
    (id: string): Promise<T> =>
      ask(operation, id, question)
  return {
    addressSources: ['agent', 'arp'],
    addresses: (id, source) =>
      connection.call('guest.addresses', () => {
        const domain = host.domain(id)
        if (source === 'agent') return Agent.of(domain).interfaces
        // Its neighbours know them though the guest has no agent, or stands still.
        const { config } = activeOf(domain, 'look for the addresses of', ['running', 'paused'])
        return interfacesOf(config).flatMap(asNeighbour)
      }),
    isConnected: id =>
      connection.call('guest.isConnected', () =>
        Agent.isIn(guestOf(host.domain(id), 'look at', ['running', 'paused'])),
      ),
    hostName: asking('hostName', agent => agent.hostName),
    os: asking('os', () => OS),
    timezone: asking('timezone', () => ({ name: 'UTC', offsetSeconds: 0 })),
    users: asking('users', () => []),
    fileSystems: asking('fileSystems', agent => agent.fileSystems),
    disks: asking('disks', agent => agent.disks),
    time: asking('time', agent => agent.time(host.clock.nowMs())),
    setTime: (id, time) => ask('setTime', id, agent => agent.setTime(host.clock.nowMs(), time)),
    freeze: (id, mountpoints) => ask('freeze', id, agent => agent.freeze(mountpoints)),
    thaw: asking('thaw', agent => agent.thaw()),
    trim: asking('trim', agent => agent.assertThawed()),
    requestEnd: (id, ending) => ask('requestEnd', id, agent => agent.end(ending)),
  }
}

type AskedFor = Exclude<keyof GuestOps, 'addressSources' | 'addresses' | 'isConnected' | 'watch'>

const OS = {
  id: 'memory',
  name: 'Memory OS',
  prettyName: 'Memory OS 1.0',
  version: '1.0',
  versionId: '1.0',
  machine: 'x86_64',
  kernelRelease: '1.0.0',
  kernelVersion: '#1',
} as const

/** What others than the guest know of it: addresses of IPv4, and not how much of them is the network's. */
function asNeighbour({ addresses, ...one }: GuestInterface): GuestInterface[] {
  const known = addresses.filter(({ family }) => family === 'ipv4').map(address => ({ ...address, prefix: 0 }))
  return known.length === 0 ? [] : [{ ...one, addresses: known }]
}
