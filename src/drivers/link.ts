import type { NicConfig } from './domain-config.ts'

/** The interface with a carrier, or without one. */
export function withLink({ linkDown: _before, ...nic }: NicConfig, isUp: boolean): NicConfig {
  return isUp ? nic : { ...nic, linkDown: true }
}

/** Whether the guest sees a carrier. */
export const hasLink = ({ network, linkDown = false }: Pick<NicConfig, 'network' | 'linkDown'>): boolean =>
  network !== null && !linkDown
