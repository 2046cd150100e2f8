import type { DomainId, Driver } from '../drivers/driver.ts'
import { Deeds } from './deeds.ts'
import type { Deed } from './lifecycle.ts'
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

/** Lets a driver that stands in front of another have its past: they lead the same domains. */
export function sharePast(front: Driver, behind: Driver): void {
  pasts.set(front, pastOf(behind))
}

/**
 * The driver of a host by which it is known what is done to domains, whoever does it. They are followed from what they are
 * now on; where the host does not say what there is, from what the next who lists them is told.
 */
export function followed(driver: Driver): Driver {
  const { domains, suspension, snapshots } = driver
  const during = <T>(id: DomainId, deed: Deed, run: () => Promise<T>): Promise<T> => {
    const { deeds } = pastOf(watched)
    // What more is being done explains more.
    return deeds.whileDoing(id, deeds.of(id) ?? deed, run)
  }
  const watched: Driver = {
    ...driver,
    domains: {
      ...domains,
      start: (id, options) =>
        during(id, 'started', () => domains.start(id, options)).catch((error: unknown) => {
          pastOf(watched).reasons.failed(id)
          throw error
        }),
      async requestShutdown(id) {
        await domains.requestShutdown(id)
        pastOf(watched).reasons.asked(id)
      },
    },
    ...(suspension && {
      suspension: {
        ...suspension,
        suspend: (id, options) => during(id, 'saved', () => suspension.suspend(id, options)),
      },
    }),
    ...(snapshots && {
      snapshots: {
        ...snapshots,
        revert: (id, snapshot, options) => during(id, 'reverted', () => snapshots.revert(id, snapshot, options)),
      },
    }),
  }
  const { reasons } = pastOf(watched)
  domains.list().then(
    all => reasons.seeAll(all),
    () => undefined,
  )
  return watched
}
