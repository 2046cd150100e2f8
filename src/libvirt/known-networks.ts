import type { FunctionName } from './flag-check.ts'
import type { Host } from './host.ts'
import type { KeptNetwork } from './kept-networks.ts'

/** A network as clients see it: one that its host knows is active. */
export interface KnownNetwork extends KeptNetwork {
  readonly isActive: boolean
}

/**
 * The networks of a host: those that it knows, and those that are kept and that it has not been told of. What nobody keeps
 * stays, and is there when the host has started.
 */
export async function networksOf(host: Host, name: FunctionName): Promise<readonly KnownNetwork[]> {
  const active = await host.group(name, 'networks').list()
  const kept = new Map(host.company.networks?.list().map(network => [network.id, network]))
  const known = active.map((config): KnownNetwork => {
    const { isPersistent = true, autostart = true } = kept.get(config.id) ?? {}
    kept.delete(config.id)
    return { ...config, isPersistent, autostart, isActive: true }
  })
  return [...known, ...Array.from(kept.values(), network => ({ ...network, isActive: false }))]
}
