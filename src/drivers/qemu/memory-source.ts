import type { FileHandle } from 'node:fs/promises'
import type { OperationOptions } from '../driver.ts'
import type { Definition } from './definition.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import type { MemoryExtent } from './memory-file.ts'
import { restore } from './resume.ts'
import { forgetSuspension, type Saved, writeSuspension } from './saved.ts'
import { MEMORY_START } from './saved-file.ts'
import type { Suspension } from './suspension.ts'

/** How a guest is brought back. */
export interface BringBackOptions extends OperationOptions {
  readonly paused?: boolean
}

/** What a guest is brought back from, and the order in which that counts. */
export interface MemorySource {
  /** What it is made of. */
  readonly definition: Definition
  /** Before there is a QEMU. From here on, one that lives can go. */
  begin(): Promise<void>
  /** Gives a machine that waits for it the memory; it is paused when this resolves, and may be ended still. */
  restore(machine: Machine, options: OperationOptions): Promise<void>
  /** Lets the machine be the domain's and execute, by `run`. */
  consume(run: () => Promise<void>): Promise<void>
  /** QEMU is gone, and has executed nothing. */
  giveUp(): Promise<void>
}

/** What a domain was suspended to. */
export const ownSource = (suspension: Suspension, saved: Saved): MemorySource => ({
  definition: saved.definition,
  begin: async () => undefined,
  restore: (machine, options) => suspension.restore(machine, saved, options),
  consume: run => suspension.consume(saved, run),
  giveUp: async () => undefined,
})

/** A file that a domain was saved to, and what it is to be made of. */
export interface SourceFile {
  readonly file: FileHandle
  readonly name: string
  readonly definition: Definition
  readonly memory: MemoryExtent
}

/** A caller's file; it stays, whatever becomes of the guest. */
export const fileSource = (files: DomainFiles, { file, name, definition, memory }: SourceFile): MemorySource => ({
  definition,
  begin: () => writeSuspension(files, { phase: 'restoring' }),
  restore: (machine, options) =>
    restore({ machine, files, saved: memory, from: { file, start: MEMORY_START, name }, ...options }),
  consume: async run => {
    await forgetSuspension(files)
    await run()
  },
  giveUp: () => forgetSuspension(files),
})
