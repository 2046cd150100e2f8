import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import { type Batch, batchOf } from './replies.ts'
import { makeRequest, type RequestParts } from './requests.ts'
import type { World } from './world.ts'

/** Begins an enumeration. */
export const enumerate = async (
  world: World,
  parts: RequestParts = {},
  className = 'Msvm_ComputerSystem',
): Promise<Batch> => batchOf(await world.post(makeRequest('Enumerate', className, parts)))

/** Asks for what comes next. */
export const pull = async (world: World, context: string, parts: RequestParts = {}): Promise<Batch> =>
  batchOf(await world.post(makeRequest('Pull', 'Msvm_ComputerSystem', { context, ...parts })))

/** All that is left, in as few pulls as the host allows. */
export async function drain(world: World, first: Batch): Promise<XmlElement[]> {
  const items = [...first.items]
  let { context } = first
  while (context !== '') {
    const batch = await pull(world, context, { maxElements: 32_000 })
    items.push(...batch.items)
    context = batch.context
  }
  return items
}

/** A property of each item. */
export const named = (items: readonly XmlElement[], name: string): Array<string | undefined> =>
  items.map(item => item.element(name)?.text())
