import type { DomainConfig } from '../../driver.ts'
import type { Accelerator } from '../accelerator.ts'

/** Number and kind of the virtual CPUs. */
export function cpuArguments({ vcpus }: DomainConfig, accelerator: Accelerator): string[] {
  return ['-accel', accelerator, ...(accelerator === 'kvm' ? ['-cpu', 'host'] : []), '-smp', `${vcpus}`]
}
