/** Where repositories lie. */

import { normalize } from 'node:path/posix'
import type { Context, Store } from '../engine/context.ts'
import { isWindowsPath, placeKey } from '../engine/images.ts'
import { fail } from '../model/errors.ts'
import { SR } from '../model/index.ts'

/**
 * The place that a client names for a repository. Of a host that is not of files, it need be no path. Throws
 * PATH_NOT_ALLOWED; of folders of Windows hosts, for which the operator has no rules, PERMISSION_DENIED.
 */
export function placeNamed({ paths, caller }: Context, field: string, place: string, message: string): string {
  if (isWindowsPath(place) && !caller.administrator) throw fail('PERMISSION_DENIED', { message })
  return place.startsWith('/') ? paths.check(field, plainPath(place)) : place
}

/** One folder, one spelling: two repositories in one folder would share its images. */
export const plainPath = (path: string): string =>
  path.startsWith('/') ? normalize(path).replace(/(?<=.)\/$/, '') : path

/** Whether a host has a repository there already. */
export function repositoryAt(store: Store, host: string, location: string): boolean {
  return store.findBy(SR, 'host', host).some(ref => placeKey(store.get(SR, ref)?.location ?? '') === placeKey(location))
}
