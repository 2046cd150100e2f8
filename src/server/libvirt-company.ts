import type { Services } from '../engine/context.ts'
import { LockBusy } from '../engine/locks.ts'
import type { Area, Company } from '../libvirt/company.ts'
import { VIR_ERR_OPERATION_TIMEOUT } from '../libvirt/error-numbers.ts'
import { LibvirtError } from '../libvirt/errors.ts'
import type { NetworkKeeper } from '../libvirt/kept-networks.ts'
import type { PoolKeeper } from '../libvirt/kept-pools.ts'

/** Who keeps what of a host beside the host. */
export interface Keepers {
  readonly pools: PoolKeeper
  readonly networks: NetworkKeeper
  /** Tells the host what it has yet to be told of its VMs; undefined where that is nothing. */
  readonly tell: () => Promise<void> | undefined
  /** Forgets the VM of a domain that was undefined. */
  readonly forget: (domain: string) => Promise<void>
}

/** What the company of a host is made of. */
export interface CompanyParts {
  readonly services: Pick<Services, 'hosts'>
  readonly keepersOf: (host: string) => Keepers
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void
}

/** How long a change waits for others that are at work with the same domain. Source: libvirt, qemu_domainjob.c. */
const TURN_MS = 30_000

/** The clients of the Xen Management API, who use a host too: what is changed of it here is in their records at once. */
export function companyOf(parts: CompanyParts, host: string): Company {
  const { hosts } = parts.services
  const { pools, networks, tell, forget } = parts.keepersOf(host)
  return {
    arrived: tell,
    settled: area => settled(parts, host, area),
    alone: (domain, change) => inTime(() => hosts.changeDefinition(host, domain, change, TURN_MS)),
    forget: domain => quietly(parts, host, 'the VM of a domain stays that was undefined', () => forget(domain)),
    pools: {
      list: () => pools.list(),
      define: pool => inTime(() => pools.define(pool)),
      create: pool => inTime(() => pools.create(pool)),
      start: uuid => inTime(() => pools.start(uuid)),
      stop: uuid => inTime(() => pools.stop(uuid)),
      undefine: uuid => inTime(() => pools.undefine(uuid)),
      setAutostart: (uuid, autostart) => inTime(() => pools.setAutostart(uuid, autostart)),
      changing: (uuids, change) => inTime(() => pools.changing(uuids, change)),
      tell: (uuid, deed) => pools.tell(uuid, deed),
      listen: listener => pools.listen(listener),
    },
    networks: {
      list: () => networks.list(),
      define: network => inTime(() => networks.define(network)),
      create: network => inTime(() => networks.create(network)),
      start: id => inTime(() => networks.start(id)),
      stop: id => inTime(() => networks.stop(id)),
      undefine: id => inTime(() => networks.undefine(id)),
      setAutostart: (id, autostart) => inTime(() => networks.setAutostart(id, autostart)),
      listen: listener => networks.listen(listener),
    },
  }
}

/** What is changed of storage is recorded by who keeps the pools, before anybody else's turn. */
async function settled(parts: CompanyParts, host: string, area: Area): Promise<void> {
  const { hosts } = parts.services
  if (area === 'domains') return hosts.settled(host)
  if (area === 'storage') return
  await quietly(parts, host, 'the networks of a host could not be read back now', () => hosts.readNetworks(host))
}

/** What was done is done: what cannot be recorded of it now is told to the operator. */
async function quietly({ warn }: CompanyParts, host: string, text: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    warn(text, { host, error: String(error) })
  }
}

/** In libvirt's words, where others take too long. */
async function inTime<R>(run: () => Promise<R>): Promise<R> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof LockBusy)) throw error
    throw new LibvirtError(VIR_ERR_OPERATION_TIMEOUT, 'cannot acquire state change lock', { cause: error })
  }
}
