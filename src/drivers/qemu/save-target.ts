import { open } from 'node:fs/promises'
import type { SavedDomain } from '../driver.ts'
import { fitToSaved } from '../saved-fit.ts'
import type { Definition } from './definition.ts'
import { partialPath } from './files.ts'
import type { DomainFiles } from './layout.ts'
import type { Machine } from './machine.ts'
import { give, writeSuspension } from './saved.ts'
import { MEMORY_START, type Saving, writeSlot } from './saved-file.ts'
import type { SaveTarget } from './suspend.ts'

/** Where a domain is to be saved to, and what the file is to say of it instead of what it is. */
export interface SaveWish extends Partial<SavedDomain> {
  readonly location: string
}

/** What is to be saved. */
export interface Saveable {
  readonly machine: Machine
  readonly definition: Definition
  readonly wish: SaveWish
}

/** A file of a caller's. Throws as `refused` where it cannot say what it is to say. */
export function fileTarget(files: DomainFiles, { machine, definition, wish }: Saveable): SaveTarget {
  const { location, paused = machine.state === 'paused' } = wish
  const told = wish.config === undefined ? definition : withConfig(definition, wish.config)
  const partial = partialPath(location)
  return {
    partial,
    start: MEMORY_START,
    commit: async ({ bytes, crc32 }) => {
      await describe(partial, { definition: told, paused, memory: { bytes, crc32 } })
      await writeSuspension(files, { phase: 'given', partial, location })
      await give({ partial, location })
    },
  }
}

/** What a guest is to be made of, by another definition of it. Throws as `refused` where it would see the difference. */
export const withConfig = (definition: Definition, config: SavedDomain['config']): Definition => ({
  ...definition,
  config: fitToSaved(definition.config, config),
})

async function describe(partial: string, saving: Saving): Promise<void> {
  const file = await open(partial, 'r+')
  try {
    await writeSlot(file, saving)
  } finally {
    await file.close()
  }
}
