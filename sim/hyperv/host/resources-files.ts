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

/** Tells the images that an image is made of, its own path first. */
export type ChainOf = (path: string) => Promise<readonly string[]>

const chains = new WeakMap<Host, ChainOf>()

/** Says where operations on machines learn what images are made of. Whoever gives a host its images calls it. */
export function giveImageChains(host: Host, chainOf: ChainOf): void {
  chains.set(host, chainOf)
}

/** The images that one of a host's is made of; on a host without storage, itself. */
export const imageChainOf = async (host: Host, path: string): Promise<readonly string[]> =>
  (await chains.get(host)?.(path)) ?? [path]
