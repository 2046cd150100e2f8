import { VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_INVALID_ARG } from './error-numbers.ts'
import { LibvirtError } from './errors.ts'

/** The name of a function of libvirt, as its messages have it. */
export type FunctionName = `vir${string}`

/** Which flags a function has. */
export interface FlagsOf {
  /** Those that are honoured, together. */
  readonly known?: number
  /** Those that libvirt has and that cannot be honoured here, by name. */
  readonly refused?: Readonly<Record<string, number>>
}

/**
 * Demands that only flags are given that the function has and that can be honoured. Throws `VIR_ERR_INVALID_ARG` for
 * those it does not have, in libvirt's words, and `VIR_ERR_ARGUMENT_UNSUPPORTED` for those it can not honour, by name.
 */
export function checkFlags(name: FunctionName, flags: number, { known = 0, refused = {} }: FlagsOf): void {
  if (!Number.isSafeInteger(flags) || flags < 0 || flags > FLAGS_MAX) {
    throw new LibvirtError(VIR_ERR_INVALID_ARG, `flags in ${name} must be a number of 32 bits, not ${flags}`)
  }
  const refusals = Object.entries(refused)
  const all = refusals.reduce((sum, [, flag]) => sum | flag, known)
  const unknown = (flags & ~all) >>> 0
  if (unknown !== 0) {
    throw new LibvirtError(VIR_ERR_INVALID_ARG, `unsupported flags (0x${unknown.toString(16)}) in function ${name}`)
  }
  const given = refusals.filter(([, flag]) => (flags & flag) !== 0).map(([flag]) => flag)
  if (given.length === 0) return
  throw new LibvirtError(VIR_ERR_ARGUMENT_UNSUPPORTED, `${given.join(', ')} cannot be honoured by ${name} here`)
}

/** Throws `VIR_ERR_INVALID_ARG` where two flags are given that exclude each other. */
export function checkExclusive(name: FunctionName, flags: number, pairs: readonly (readonly [string, number])[]): void {
  const given = pairs.filter(([, flag]) => (flags & flag) !== 0).map(([flag]) => flag)
  if (given.length < 2) return
  throw new LibvirtError(VIR_ERR_INVALID_ARG, `flags ${given.join(' and ')} in ${name} are mutually exclusive`)
}

/** Whether `flags` has `flag`. */
export const has = (flags: number, flag: number): boolean => (flags & flag) !== 0

/** Flags are 32 bits wide. */
const FLAGS_MAX = 0xffff_ffff
