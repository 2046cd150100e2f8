import type { QgaClient } from '../../protocols/qga/client.ts'
import { QgaError } from '../../protocols/qga/error.ts'
import {
  freezeFileSystems,
  readDisks,
  readFileSystems,
  thawFileSystems,
  trimFileSystems,
} from '../../protocols/qga/file-systems.ts'
import { readInterfaces } from '../../protocols/qga/interfaces.ts'
import { readHostName, readSystem, readTime, readTimezone, readUsers, writeTime } from '../../protocols/qga/system.ts'
import type { AgentWatch } from './agent-watch.ts'
import { type DomainId, type DomainState, DriverError, type GuestOps } from '../driver.ts'
import type { QemuDomain } from './domain.ts'
import type { Gate } from './gate.ts'
import { portOf } from './guest-agent.ts'
import { diskAt } from './guest-disks.ts'
import type { Inventory } from './inventory.ts'
import type { Machine } from './machine.ts'
import { neighboursOf } from './neighbours.ts'

/** How long the agent may take to answer a question, in a guest that is busy. */
const ANSWER_MS = 20_000
/** How long it may take to freeze file systems, which are written out first, or to let them go on. */
const FREEZE_MS = 120_000
/** How long it may take to give back what a disk of many terabytes does not use. */
const TRIM_MS = 600_000
/** How long it may take to say that it cannot turn the guest off; that it can, it does not say. */
const ENDING_MS = 3_000

/** The group `guest`: what QEMU's agent in a guest says, and what the host knows of its neighbours. */
export function guestOps(inventory: Inventory, agents: AgentWatch, gate: Gate): GuestOps {
  const ask = <T>(id: DomainId, question: Question<T>): Promise<T> =>
    gate.pass(async () => {
      const domain = inventory.find(id)
      const machine = machineIn(domain, ['running'])
      return domain.agent.ask(portOf(machine), client => question(client, { domain, machine }))
    })
  const asking =
    <T>(read: (client: QgaClient, timeoutMs: number) => Promise<T>) =>
    (id: DomainId): Promise<T> =>
      ask(id, client => read(client, ANSWER_MS))
  return {
    addressSources: ['agent', 'arp'],
    addresses(id, source) {
      if (source === 'agent') return ask(id, client => readInterfaces(client, ANSWER_MS))
      return gate.pass(async () => {
        const domain = inventory.find(id)
        machineIn(domain, ['running', 'paused'])
        return neighboursOf(domain.living.config)
      })
    },
    isConnected: id => gate.pass(() => portOf(machineIn(inventory.find(id), ['running', 'paused'])).isOpen()),
    watch: listener => agents.subscribe(listener),
    hostName: asking(readHostName),
    os: asking(readSystem),
    timezone: asking(readTimezone),
    users: asking(readUsers),
    fileSystems: id =>
      ask(id, async (client, { domain }) => {
        const told = await readFileSystems(client, ANSWER_MS)
        return told.map(({ disks, ...one }) => ({ ...one, disks: disks.map(place => diskAt(place, domain.living)) }))
      }),
    disks: id =>
      ask(id, async (client, { domain }) => {
        const told = await readDisks(client, ANSWER_MS)
        return told.map(({ address, ...one }) => {
          if (address === undefined) return one
          const { device: _, ...place } = diskAt(address, domain.living)
          return { ...one, ...place, ...(address.kind !== undefined && { bus: address.kind }) }
        })
      }),
    time: asking(readTime),
    setTime: (id, time) =>
      ask(id, async (client, { machine }) => {
        await writeTime(client, time, ANSWER_MS)
        // Ticks that are owed would set it forward again. Source: libvirt, src/qemu/qemu_driver.c, qemuDomainSetTime.
        await machine.execute('rtc-reset-reinjection')
      }),
    async freeze(id, mountpoints) {
      let isTold = false
      try {
        return await ask(id, client => {
          isTold = true
          return freezeFileSystems(client, mountpoints, FREEZE_MS)
        })
      } catch (error) {
        if (!isTold || !(error instanceof DriverError && error.guest === 'silent')) throw error
        const message = `${error.message}; file systems of the guest may be frozen`
        throw new DriverError('refused', message, { guest: 'silent', cause: error })
      }
    },
    thaw: id => ask(id, client => thawFileSystems(client, FREEZE_MS)),
    trim: (id, minimumBytes) => ask(id, client => trimFileSystems(client, minimumBytes, TRIM_MS)),
    requestEnd: (id, ending) => ask(id, client => requestEnd(client, ending === 'reboot' ? 'reboot' : 'powerdown')),
  }
}

interface Asked {
  readonly domain: QemuDomain
  readonly machine: Machine
}

type Question<T> = (client: QgaClient, asked: Asked) => Promise<T>

/** The machine of a domain in one of these states. */
function machineIn({ summary: { state }, id, machine }: QemuDomain, allowed: readonly DomainState[]): Machine {
  if (machine !== undefined && allowed.includes(state)) return machine
  const kind = machine?.isReached === false ? 'unreachable' : 'bad-state'
  throw new DriverError(kind, `domain ${id} is ${state}, not ${allowed.join(' or ')}`)
}

/** Source: QEMU qga/qapi-schema.json, guest-shutdown, which answers only where it fails. */
async function requestEnd(client: QgaClient, mode: 'powerdown' | 'reboot'): Promise<void> {
  try {
    await client.execute('guest-shutdown', { mode }, ENDING_MS)
  } catch (error) {
    // The guest may be gone with its agent before anything is heard.
    if (!(error instanceof QgaError && (error.failure === 'time-out' || error.failure === 'closed'))) throw error
  }
}
