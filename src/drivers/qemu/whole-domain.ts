import type { Domain } from '../driver.ts'
import type { Definition } from './definition.ts'
import type { ImageUse } from './image-use.ts'
import type { Machine } from './machine.ts'
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
}

/** What its guest is, or would be, made of. */
export const madeOf = ({ definition, running, suspension }: WholeDomain): Definition =>
  running ?? suspension.saved?.definition ?? definition
