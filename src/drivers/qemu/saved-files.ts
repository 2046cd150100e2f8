import { type DomainId, DriverError, type OperationOptions, type SavedDomain, type SavedFileOps } from '../driver.ts'
import { assertPath, assertWritable } from './caller-file.ts'
import { assertDefinable, type Definition } from './definition.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { type BringBackOptions, fileSource, type SourceFile } from './memory-source.ts'
import { withConfig } from './save-target.ts'
import { openSaved, type Saving, writeSlot } from './saved-file.ts'
import { machineOf, madeOf, type WholeDomain } from './whole-domain.ts'

/** Files of the group `suspension`. */
export const savedFileOps = (inventory: Inventory, gate: Gate): SavedFileOps => ({
  save: (id, location, { config, paused, ...options } = {}) =>
    gate.pass(async () => {
      const domain = inventory.find(id)
      assertWritable(inventory, location)
      const wish = { location, ...(config && { config }), ...(paused !== undefined && { paused }) }
      await domain.wholly(whole =>
        whole.suspension.saveTo(machineOf(whole, 'running', 'paused'), madeOf(whole), wish, options),
      )
    }),

  read: location =>
    gate.pass(() =>
      using(location, 'r', async ({ saving: { definition, paused } }) => ({ config: definition.config, paused })),
    ),

  change: (location, changes) =>
    gate.pass(() =>
      using(location, 'r+', ({ file, saving }) => {
        const { paused = saving.paused } = changes
        return writeSlot(file, { ...saving, definition: changed(saving, changes), paused })
      }),
    ),

  restore: (location, { config, paused, ...options } = {}) =>
    gate.pass(() =>
      using(location, 'r', ({ file, saving }) => {
        const definition = changed(saving, config === undefined ? {} : { config })
        const source = { file, name: location, definition, memory: saving.memory }
        return restore(inventory, source, { paused: paused ?? saving.paused, ...options })
      }),
    ),
})

type Opened = Awaited<ReturnType<typeof openSaved>>

async function using<T>(location: string, flags: 'r' | 'r+', use: (opened: Opened) => Promise<T>): Promise<T> {
  assertPath(location)
  const opened = await openSaved(location, flags)
  try {
    return await use(opened)
  } finally {
    await opened.file.close()
  }
}

function changed({ definition }: Saving, { config }: Partial<SavedDomain>): Definition {
  if (config === undefined) return definition
  assertDefinable(config)
  return withConfig(definition, config)
}

async function restore(
  inventory: Inventory,
  source: SourceFile,
  options: OperationOptions & { readonly paused: boolean },
): Promise<DomainId> {
  const { config } = source.definition
  const isKnown = inventory.all().some(({ id }) => id === config.id)
  if (!isKnown) await inventory.define(config)
  try {
    await inventory.find(config.id).wholly(whole => bringBack(whole, source, options))
  } catch (error) {
    if (!isKnown) await takeBack(inventory, config.id, error)
    throw error
  }
  return config.id
}

async function bringBack(whole: WholeDomain, source: SourceFile, options: BringBackOptions): Promise<void> {
  const { id, state } = whole.summary
  if (state !== 'halted') throw new DriverError('bad-state', `domain ${id} is ${state}, not halted`)
  await whole.bringBack(fileSource(whole.files, source), options)
}

/** Forgets a domain that was defined for nothing, unless somebody has done something with it since. */
async function takeBack(inventory: Inventory, id: DomainId, cause: unknown): Promise<void> {
  try {
    await inventory.undefine(id)
  } catch (error) {
    if (error instanceof DriverError && error.kind !== 'unreachable') return
    const message = `${String(cause)}; domain ${id}, which was defined for it, remains: ${String(error)}`
    throw new DriverError('refused', message, { cause })
  }
}
