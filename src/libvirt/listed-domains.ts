import type { Domain } from '../drivers/driver.ts'
import { DOMAIN_FILTERS, filterDomains } from './domain-filter.ts'
import { VIR_ERR_NO_DOMAIN } from './error-numbers.ts'
import { checkFlags } from './flag-check.ts'
import { glimpsesOf } from './glimpses.ts'
import type { Host } from './host.ts'

/** All domains of a host, or those that `VIR_CONNECT_LIST_DOMAINS_` flags are for (virConnectListAllDomains). */
export async function listDomains(host: Host, flags: number): Promise<readonly Domain[]> {
  return host.read('virConnectListAllDomains', VIR_ERR_NO_DOMAIN, async () => {
    checkFlags('virConnectListAllDomains', flags, { known: DOMAIN_FILTERS })
    return filterDomains(host, await glimpsesOf(host).list(), flags)
  })
}
