import type { DomainEvent } from '../driver.ts'
import type { AgentWatch } from './agent-watch.ts'
import type { Accelerator } from './accelerator.ts'
import type { CpuOffer } from './cpu-offer.ts'
import type { Definition } from './definition.ts'
import type { ImageKey } from './images.ts'
import type { Installation } from './installation.ts'
import type { Machine } from './machine.ts'
import type { Networks } from './networks/networks.ts'
import type { Scheduler } from './scheduling.ts'

/** What all domains of a connection have in common. */
export interface Surroundings {
  readonly root: string
  readonly installation: Installation
  readonly accelerator: Accelerator
  readonly cpuOffer: CpuOffer
  readonly networks: Networks
  readonly scheduler: Scheduler
  readonly tell: (event: DomainEvent) => void
  readonly agents: AgentWatch
  readonly warn: (message: string, details?: Readonly<Record<string, unknown>>) => void
}

/** What a change to a living domain works on. */
export interface LivingDomain {
  readonly machine: Machine
  readonly definition: Definition
  /** What the machine is made of; other than the definition where that was given meanwhile. */
  readonly living: Definition
  /** Makes this the definition, and what differs in it from the former that of the machine; durable when it resolves. */
  readonly keep: (definition: Definition) => Promise<void>
  /** Makes this what the machine is made of, and leaves the definition; durable when it resolves. */
  readonly keepLiving: (definition: Definition) => Promise<void>
  /** Says that QEMU is about to be told to open this image, so that nobody deletes it meanwhile. */
  readonly opens: (image: ImageKey) => void
}
