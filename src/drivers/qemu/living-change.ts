import { DriverError } from '../driver.ts'
import type { Definition } from './definition.ts'
import type { LivingDomain } from './domain.ts'

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
