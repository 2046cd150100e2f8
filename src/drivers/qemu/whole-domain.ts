import { type Domain, type DomainState, DriverError } from '../driver.ts'
import type { Definition } from './definition.ts'
import type { ImageUse } from './image-use.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import type { BringBackOptions, MemorySource } from './memory-source.ts'
import type { Suspension } from './suspension.ts'

/** All that a domain is, for what changes it as a whole. */
export interface WholeDomain {
  /** As last told. */
  readonly summary: Domain
  readonly definition: Definition
  /** The QEMU that runs it, and what that is made of, where that is known. */
  readonly machine: Machine | undefined
  readonly running: Definition | undefined
  readonly suspension: Suspension
  readonly images: ImageUse
  /** Makes this the definition; durable when it resolves. */
  readonly keep: (definition: Definition) => Promise<void>
  readonly tellChanged: () => void
  /** Lets it go on from memory that was saved; of one without a QEMU. A failure leaves it as it was, and no QEMU. */
  readonly bringBack: (source: MemorySource, options: BringBackOptions) => Promise<void>
  readonly files: DomainFiles
}

/** The QEMU of a domain in one of these states. Throws as `bad-state` in others. */
export function machineOf(
  { machine, summary: { id, state } }: Pick<WholeDomain, 'machine' | 'summary'>,
  ...states: readonly DomainState[]
): Machine {
  if (machine !== undefined && (!machine.isReached || states.includes(state))) return machine
  throw new DriverError('bad-state', `domain ${id} is ${state}, not ${states.join(' or ')}`)
}

/** What its guest is, or would be, made of. */
export const madeOf = ({ definition, running, suspension }: WholeDomain): Definition =>
  running ?? suspension.saved?.definition ?? definition
