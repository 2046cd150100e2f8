import { DriverError } from '../../driver.ts'
import type { Definition } from '../definition.ts'

/** The network interfaces. */
export function nicArguments({ config: { nics = [] } }: Definition): string[] {
  if (nics.length === 0) return []
  throw new DriverError('refused', `${nics.length} network interfaces; QEMU is given none`)
}
