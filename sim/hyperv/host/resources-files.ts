import type { Host } from './host.ts'
import type { ImageFiles } from './resources-context.ts'

const registered = new WeakMap<Host, ImageFiles>()

/** A host without storage has every file that is asked for. */
const EVERYTHING: ImageFiles = { exists: () => true }

/** Says where operations on resources look for images. Whoever gives a host its storage calls it once. */
export function giveImageFiles(host: Host, files: ImageFiles): void {
  registered.set(host, files)
}

/** Where a host's images are. */
export const imageFilesOf = (host: Host): ImageFiles => registered.get(host) ?? EVERYTHING
