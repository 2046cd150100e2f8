import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
export const MODULES = join(ROOT, 'node_modules')
export const OWN_BIN = join(MODULES, '.bin')
export const OWN_NODE = join(OWN_BIN, 'node')
/** Goes with node_modules whenever npm makes that anew, and so do the stamps in it. */
export const MODULES_CACHE = join(MODULES, '.cache', 'polyvisor')
/** Where the tests look for the guests' kernel and modules. */
export const GUEST = join(MODULES_CACHE, 'guest')
/** Outlives node_modules: the kernel need not be fetched again. */
export const CACHE = join(ROOT, '.cache')
export const KEPT_GUEST = join(CACHE, 'guest')
