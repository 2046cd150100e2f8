import type { Domain as DriverDomain, DomainConfig } from '../drivers/driver.ts'
import { VIR_ERR_OPERATION_FAILED, VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import type { Host } from './host.ts'
import { isActiveState } from './remembered.ts'

/** A domain that is described, and the one of its UUID that the host has. */
export interface Described {
  readonly config: DomainConfig
  readonly present: DriverDomain | undefined
}

/**
 * Does what a description is for, while nobody else here makes or changes a domain of its name or UUID. Rejects with
 * `VIR_ERR_OPERATION_FAILED` where the host has another domain of either.
 */
export async function inTurn<T>(
  host: Host,
  config: DomainConfig,
  deed: (described: Described) => Promise<T>,
): Promise<T> {
  const run = async () => deed({ config, present: await findPresent(host, config) })
  const { turns } = host.remembered
  // In this order, always: nobody waits for somebody who waits for them.
  return turns.run(`name ${config.name}`, () => host.alone(config.id, () => turns.run(config.id, run)))
}

/** Demands that a domain is off, and nothing is saved of it. Throws LibvirtError as `VIR_ERR_OPERATION_INVALID`. */
export function assertStartable(host: Host, present: DriverDomain | undefined, { name }: DomainConfig): void {
  if (present === undefined || present.state === 'halted') return
  const text = isActiveState(present.state)
    ? `domain is already active as '${name}'`
    : `domain '${name}' has a managed save image; virDomainCreate starts from it`
  throw host.error(VIR_ERR_OPERATION_INVALID, text)
}

/**
 * Source: libvirt, src/conf/virdomainobjlist.c, virDomainObjListAddLocked: a UUID keeps its name and a name its UUID.
 * Hyper-V would let a name have several, and a description without a UUID that is given twice made two machines.
 */
async function findPresent(host: Host, config: DomainConfig): Promise<DriverDomain | undefined> {
  const domains = await host.domains()
  const present = domains.find(({ id }) => id === config.id)
  if (present !== undefined && present.name !== config.name) {
    const text = `domain '${present.name}' is already defined with uuid ${present.id}`
    throw host.error(VIR_ERR_OPERATION_FAILED, text)
  }
  const namesake = present === undefined ? domains.find(({ name }) => name === config.name) : undefined
  if (namesake !== undefined) {
    const text = `domain '${config.name}' already exists with uuid ${namesake.id}`
    throw host.error(VIR_ERR_OPERATION_FAILED, text)
  }
  return present
}
