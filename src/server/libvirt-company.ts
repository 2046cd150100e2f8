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
  const { pools, networks } = parts.keepersOf(host)
  return {
    settled: area => settled(parts, host, area),
    alone: (domain, change) => inTime(() => hosts.changeDefinition(host, domain, change, TURN_MS)),
    pools: {
      list: () => pools.list(),
      define: pool => inTime(() => pools.define(pool)),
      create: pool => inTime(() => pools.create(pool)),
      start: uuid => inTime(() => pools.start(uuid)),
      stop: uuid => inTime(() => pools.stop(uuid)),
      undefine: uuid => inTime(() => pools.undefine(uuid)),
      setAutostart: (uuid, autostart) => inTime(() => pools.setAutostart(uuid, autostart)),
      changing: (uuids, change) => inTime(() => pools.changing(uuids, change)),
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
async function settled({ services: { hosts }, warn }: CompanyParts, host: string, area: Area): Promise<void> {
  if (area === 'domains') return hosts.settled(host)
  if (area === 'storage') return
  try {
    await hosts.readNetworks(host)
  } catch (error) {
    warn('the networks of a host could not be read back now', { host, error: String(error) })
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
