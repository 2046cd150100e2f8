import type { Driver } from '../drivers/driver.ts'
import { Deeds } from './deeds.ts'
import { StateReasons } from './state-reasons.ts'

/** What has become of the domains of a host, as far as this process heard of it, and what it does to them. */
export interface DomainPast {
  readonly deeds: Deeds
  readonly reasons: StateReasons
}

const pasts = new WeakMap<Driver, DomainPast>()

/** The past of the domains of the host that is reached through this driver, which is followed from now on until it is closed. */
export function pastOf(driver: Driver): DomainPast {
  const known = pasts.get(driver)
  if (known !== undefined) return known
  const past = { deeds: new Deeds(), reasons: new StateReasons() }
  pasts.set(driver, past)
  driver.events?.subscribe(event => past.reasons.hear(event, past.deeds.of(event.id)), { isPassive: true })
  return past
}

/** Follows the domains of a host from what they are now on. Rejects where the host does not say what there is. */
export async function followDomains(driver: Driver): Promise<void> {
  const { reasons } = pastOf(driver)
  reasons.seeAll(await driver.domains.list())
}
