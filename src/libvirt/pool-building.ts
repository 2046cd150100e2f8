import { VIR_ERR_OPERATION_INVALID } from './error-numbers.ts'
import { checkExclusive, checkFlags, type FunctionName, has } from './flag-check.ts'
import {
  VIR_STORAGE_POOL_BUILD_NO_OVERWRITE,
  VIR_STORAGE_POOL_BUILD_OVERWRITE,
  VIR_STORAGE_POOL_BUILD_REPAIR,
  VIR_STORAGE_POOL_BUILD_RESIZE,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE,
  VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE,
} from './flags/index.ts'
import type { Host } from './host.ts'

const FORMAT_IN_BUILD = VIR_STORAGE_POOL_BUILD_OVERWRITE | VIR_STORAGE_POOL_BUILD_NO_OVERWRITE
const BUILD = { known: FORMAT_IN_BUILD, refused: { VIR_STORAGE_POOL_BUILD_REPAIR, VIR_STORAGE_POOL_BUILD_RESIZE } }
const FORMAT_IN_CREATE = VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE | VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE
// A folder that is missing is made in any case.
const CREATE = { known: VIR_STORAGE_POOL_CREATE_WITH_BUILD | FORMAT_IN_CREATE }

const pairsOf = (flags: Readonly<Record<string, number>>) => Object.entries(flags)

/** Checks the flags of a function that builds a pool. */
export function checkBuild(name: FunctionName, flags: number): void {
  checkFlags(name, flags, BUILD)
  checkExclusive(name, flags, pairsOf({ VIR_STORAGE_POOL_BUILD_OVERWRITE, VIR_STORAGE_POOL_BUILD_NO_OVERWRITE }))
}

/** Checks the flags of a function that starts a pool. */
export function checkCreation(name: FunctionName, flags: number): void {
  checkFlags(name, flags, CREATE)
  const pairs = { VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE, VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE }
  checkExclusive(name, flags, pairsOf(pairs))
}

/**
 * Refuses to format what a pool of folders is on, whether or not that may be written over. Source: libvirt,
 * src/storage/storage_util.c, virStorageBackendMakeFileSystem.
 */
export function refuseFormat(host: Host, pool: string, flags: number, of: 'build' | 'create'): void {
  if (!has(flags, of === 'build' ? FORMAT_IN_BUILD : FORMAT_IN_CREATE)) return
  throw host.error(VIR_ERR_OPERATION_INVALID, `No source device specified when formatting pool '${pool}'`)
}
