/** Where repositories lie. */

import { normalize } from 'node:path/posix'
import type { Store } from '../engine/context.ts'
import { placeKey } from '../engine/images.ts'
import { SR } from '../model/index.ts'

/** One folder, one spelling: two repositories in one folder would share its images. */
export const plainPath = (path: string): string =>
  path.startsWith('/') ? normalize(path).replace(/(?<=.)\/$/, '') : path

/** Whether a host has a repository there already. */
export function repositoryAt(store: Store, host: string, location: string): boolean {
  return store.findBy(SR, 'host', host).some(ref => placeKey(store.get(SR, ref)?.location ?? '') === placeKey(location))
}
