import { VIR_ERR_INVALID_ARG } from './error-numbers.ts'
import { LibvirtError } from './errors.ts'
import type { FunctionName } from './flag-check.ts'

/**
 * The first `max` of a list, as functions of libvirt give as many results as there is room for; all where nobody says.
 * Throws `VIR_ERR_INVALID_ARG` where that is no number.
 */
export function firstOf<T>(list: readonly T[], max: number | undefined, name: FunctionName): T[] {
  if (max !== undefined && !(Number.isSafeInteger(max) && max >= 0)) {
    throw new LibvirtError(VIR_ERR_INVALID_ARG, `the room for results of ${name} must be zero or greater`)
  }
  return list.slice(0, max)
}
