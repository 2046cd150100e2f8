import { type DomainConfig, type DomainId, DriverError, type NicConfig } from '../drivers/driver.ts'
import { VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import type { Host } from './host.ts'

/**
 * Starts a domain. Where its host refuses, and has not been told of a network that an interface is plugged into, since that
 * was not started, it is this that is told, as libvirt does: the host knows no more than its number.
 */
export function startDomain(host: Host, id: DomainId, options: { readonly paused: boolean }): Promise<void> {
  const nics = async () => (await host.driver.domains.config(id)).nics
  return host.past.deeds.whileDoing(id, host.past.deeds.of(id) ?? 'started', async () => {
    try {
      await plugging(host, nics, () => host.driver.domains.start(id, options))
    } catch (error) {
      host.past.reasons.failed(id)
      throw error
    }
  })
}

/** Defines a domain, whose networks some hosts demand then; tells of those that were not started as `startDomain` does. */
export function defineDomain(host: Host, config: DomainConfig): Promise<void> {
  return plugging(
    host,
    () => config.nics,
    () => host.define(config),
  )
}

/** Does what plugs in these interfaces, which are asked for where the host refuses it. */
export async function plugging<T>(
  host: Host,
  nics: () => readonly NicConfig[] | undefined | Promise<readonly NicConfig[] | undefined>,
  deed: () => Promise<T>,
): Promise<T> {
  try {
    return await deed()
  } catch (error) {
    const name =
      error instanceof DriverError && error.kind === 'refused'
        ? await inactiveNetworkOf(host, (await nics()) ?? [])
        : undefined
    if (name === undefined) throw error
    throw host.error(VIR_ERR_OPERATION_INVALID, `network '${name}' is not active`, error)
  }
}

/** The first network of these interfaces that is kept beside the host and that the host does not know. */
async function inactiveNetworkOf(host: Host, nics: readonly NicConfig[]): Promise<string | undefined> {
  const kept = host.company.networks?.list() ?? []
  const { networks } = host.driver
  if (kept.length === 0 || networks === undefined) return undefined
  const titles = await (networks.titles === undefined ? networks.list() : networks.titles())
  const known = new Set(titles.map(network => network.id))
  return kept.find(network => !known.has(network.id) && nics.some(nic => nic.network === network.id))?.name
}
