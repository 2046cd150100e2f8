import { type DomainId, DriverError } from '../drivers/driver.ts'
import { VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import type { Host } from './host.ts'

/**
 * Starts a domain. Where its host refuses, and has not been told of a network that an interface is plugged into, since that
 * was not started, it is this that is told, as libvirt does: the host knows no more than its number.
 */
export async function startDomain(host: Host, id: DomainId, options: { readonly paused: boolean }): Promise<void> {
  try {
    await host.driver.domains.start(id, options)
  } catch (error) {
    const name =
      error instanceof DriverError && error.kind === 'refused' ? await inactiveNetworkOf(host, id) : undefined
    if (name === undefined) throw error
    throw host.error(VIR_ERR_OPERATION_INVALID, `network '${name}' is not active`, error)
  }
}

/** The first network of a domain's interfaces that is kept beside the host and that the host does not know. */
async function inactiveNetworkOf(host: Host, id: DomainId): Promise<string | undefined> {
  const kept = host.company.networks?.list() ?? []
  const { networks, domains } = host.driver
  if (kept.length === 0 || networks === undefined) return undefined
  const { nics = [] } = await domains.config(id)
  const titles = await (networks.titles === undefined ? networks.list() : networks.titles())
  const known = new Set(titles.map(network => network.id))
  return kept.find(network => !known.has(network.id) && nics.some(nic => nic.network === network.id))?.name
}
