import type { Domain } from '../drivers/driver.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import { has } from './flag-check.ts'
import { VIR_DOMAIN_AFFECT_CONFIG, VIR_DOMAIN_AFFECT_LIVE } from './flags/index.ts'
import type { Host } from './host.ts'
import { isActiveState } from './remembered.ts'

/** What a change is of: the domain as it runs, the definition that counts from its next start, or both. */
export interface Impact {
  readonly isLive: boolean
  readonly isConfig: boolean
}

/**
 * What flags mean for a domain in its state. Rejects with `VIR_ERR_OPERATION_INVALID` where it is to change as it runs
 * and does not. Source: libvirt, src/conf/domain_conf.c, virDomainObjUpdateModificationImpact.
 */
export function impactOf(host: Host, flags: number, { state }: Pick<Domain, 'state'>): Impact {
  const isActive = isActiveState(state)
  const isLive = has(flags, VIR_DOMAIN_AFFECT_LIVE)
  const isConfig = has(flags, VIR_DOMAIN_AFFECT_CONFIG)
  if (!isLive && !isConfig) return { isLive: isActive, isConfig: !isActive }
  if (isLive && !isActive) throw host.error(VIR_ERR_OPERATION_INVALID, 'domain is not running')
  return { isLive, isConfig }
}

/** As `impactOf`, of one of the two that is to be told. */
export function toldOf(host: Host, flags: number, domain: Pick<Domain, 'state'>): Impact {
  const impact = impactOf(host, flags, domain)
  if (!impact.isLive || !impact.isConfig) return impact
  throw host.error(
    VIR_ERR_INVALID_ARG,
    'flags VIR_DOMAIN_AFFECT_LIVE and VIR_DOMAIN_AFFECT_CONFIG are mutually exclusive',
  )
}
