import { type DomainConfig, DriverError } from '../driver.ts'
import type { Definition } from './definition.ts'
import type { LivingDomain } from './domain.ts'
import { withoutSlot } from './slots.ts'

/**
 * Pulls a device out of the living machine, and out of the definition, which may have been given without it meanwhile.
 * Where the machine keeps it, nothing has changed.
 */
export async function pullOut(
  domain: LivingDomain,
  device: string,
  without: (config: DomainConfig) => DomainConfig,
  act: () => Promise<void>,
): Promise<void> {
  const pulled = ({ config, slots, ...others }: Definition): Definition => ({
    ...others,
    config: without(config),
    slots: withoutSlot(slots, device),
  })
  const changed = pulled(domain.definition)
  await changeDefinition(domain, changed, act)
  // What the definition has not lost, it was given without.
  if (devicesIn(changed) === devicesIn(domain.definition)) await domain.keepLiving(pulled(domain.living))
}

const devicesIn = ({ config: { disks, nics = [] } }: Definition): number => disks.length + nics.length

/**
 * Changes the definition and then the living machine; where the machine refuses, the definition is as it was. This
 * order, since a file can be written back at any time, but what was plugged in may not come out again.
 */
export async function changeDefinition(
  { definition, keep }: LivingDomain,
  changed: Definition,
  act: () => Promise<void>,
): Promise<void> {
  await keep(changed)
  try {
    await act()
  } catch (error) {
    try {
      await keep(definition)
    } catch (failure) {
      const message = `${String(error)}; and the new definition remains, for the old cannot be written: ${String(failure)}`
      throw new DriverError('refused', message, { cause: error })
    }
    throw error
  }
}

/**
 * Changes a device of the living machine and what the definition says of it, which may be another thing, given meanwhile.
 * Where the machine refuses, both are as they were.
 */
export async function changeBoth(
  domain: LivingDomain,
  change: (config: DomainConfig) => DomainConfig,
  act: () => Promise<void>,
): Promise<void> {
  const { definition, living, keepLiving } = domain
  const changed = ({ config, ...others }: Definition): Definition => ({ ...others, config: change(config) })
  try {
    await changeDefinition(domain, changed(definition), act)
  } catch (error) {
    await keepLiving(living)
    throw error
  }
  await keepLiving(changed(living))
}
