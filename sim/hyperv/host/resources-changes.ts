import type { CimValue } from '../cim/model.ts'
import { isList } from '../cim/value.ts'
import type { Settings } from './model.ts'
import type { Given, ResourceContext } from './resources-context.ts'
import { isHostsOwn } from './resources-given.ts'

/** What of a resource makes it what it is: no change of settings makes another of it. */
const IDENTITY: ReadonlySet<string> = new Set(['ResourceType', 'ResourceSubType', 'OtherResourceType'])

/**
 * What is given that is not as it stands: clients send a whole object back to change one value of it. NULL is no
 * change. Undefined where it asks for what settings of the class cannot have, or cannot become.
 */
export function changesOf(
  context: ResourceContext,
  settings: Settings,
  given: Given,
): Readonly<Record<string, CimValue>> | undefined {
  const changes: Record<string, CimValue> = {}
  for (const [name, value] of given.values) {
    if (value === null || sameValue(settings.values[name] ?? null, value)) continue
    if (!context.knows(settings.className, name) || IDENTITY.has(name)) return undefined
    if (!isHostsOwn(name)) changes[name] = value
  }
  return changes
}

/** Whether two values are the same; NULL and no items, and NULL and an empty text, are for settings. */
export function sameValue(before: CimValue, after: CimValue): boolean {
  if (isList(before) || isList(after)) {
    const [a, b] = [isList(before) ? before : [], isList(after) ? after : []]
    return a.length === b.length && a.every((item, index) => item === b[index])
  }
  return before === after || (before === null && after === '')
}
