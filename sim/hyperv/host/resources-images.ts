import type { Host } from './host.ts'
import type { Settings, Vm } from './model.ts'
import { type OperationError, Return } from './operation-error.ts'
import { type ResourceContext, refusal } from './resources-context.ts'
import { imageChainOf, imageFilesOf } from './resources-files.ts'
import type { KindName } from './resources-kinds.ts'
import { kindOf } from './resources-settings.ts'
import { isImage } from './slots.ts'
import { textsIn } from './settings.ts'

// Which files each kind of image may be. Source: the formats that Hyper-V's image service makes; an ISO may have any
// name, as an optical disk is read block by block.
const EXTENSIONS: Readonly<Partial<Record<KindName, RegExp>>> = {
  hardDisk: /\.(a?vhdx?|vhds)$/i,
  floppyDisk: /\.vfd$/i,
}

const ABSOLUTE = /^(?:[A-Z]:[\\/]|\\\\[^\\]+\\)/i

/** The file of an image: the only path in HostResource; undefined for an empty drive. */
export function imagePath(settings: Settings): string | undefined {
  const [path] = textsIn(settings, 'HostResource')
  return path === '' ? undefined : path
}

/** Refuses a file that cannot be in a drive: missing, of the wrong kind, or in use by another machine that runs. */
export function checkImage(context: ResourceContext, vm: Vm, kind: KindName, path: string): void {
  const { host, files } = context
  const fail = (reason: 'fileMissing' | 'fileType' | 'fileInUse'): OperationError =>
    refusal(host, { vm }, { doing: 'add', kind, reason, code: Return.failed })
  // Source: a VHD set on storage that cannot share it was seen refused so, with 32770.
  if (/\.vhds$/i.test(path))
    throw refusal(host, { vm }, { doing: 'add', kind, reason: 'notSharable', code: Return.notSupported })
  if (!ABSOLUTE.test(path) || EXTENSIONS[kind]?.test(path) === false) throw fail('fileType')
  if (!files.exists(path)) throw fail('fileMissing')
  if (kind === 'hardDisk' && holdsFiles(vm) && usersOf(host, path).some(user => user !== vm && holdsFiles(user))) {
    throw fail('fileInUse')
  }
}

/** The machines whose drives hold this file, whatever the case of its path. */
export function usersOf(host: Host, path: string): Vm[] {
  const wanted = normal(path)
  return host.state.vms.filter(vm =>
    vm.configuration.resources.some(one => {
      const own = one.className === IMAGE_CLASS ? imagePath(one) : undefined
      return own !== undefined && normal(own) === wanted
    }),
  )
}

const IMAGE_CLASS = 'Msvm_StorageAllocationSettingData'

/** The images in a machine's drives. */
export function imagesOf(host: Host, vm: Vm): Settings[] {
  return vm.configuration.resources.filter(settings => isImage(kindOf(settings, host.state.build)))
}

const normal = (path: string): string => path.replaceAll('/', '\\').toLowerCase()

/** Whether a machine runs, or is on its way to or from it. */
export const isActive = (vm: Vm): boolean => vm.power !== 'off' && vm.power !== 'saved'

/** Whether a machine has a worker process, which holds its files open. */
const holdsFiles = (vm: Vm): boolean => vm.processId !== undefined

/**
 * What a machine's disks are checked for when it starts: that each is there, and that nobody else has it: no other
 * machine that runs, nor the host. Throws OperationError.
 */
export function checkImagesForStart(host: Host, vm: Vm): void {
  const files = imageFilesOf(host)
  for (const image of imagesOf(host, vm)) {
    const path = imagePath(image)
    const kind = kindOf(image, host.state.build)
    if (path === undefined || kind === undefined) continue
    const isOthers = kind === 'hardDisk' && usersOf(host, path).some(user => user !== vm && holdsFiles(user))
    const isTaken = isOthers || files.isHeld?.(path) === true
    if (!isTaken && files.exists(path)) continue
    const reason = isTaken ? 'fileInUse' : 'fileMissing'
    throw refusal(host, { vm }, { doing: 'start', kind, reason, code: Return.failed })
  }
}

/**
 * Refuses a start where a machine that runs writes to what one of the disks is made of, or has a disk that is made of one
 * of them: an image is open for one writer, and for readers of its own children. Rejects with OperationError.
 */
export async function checkChainsForStart(host: Host, vm: Vm): Promise<void> {
  const rivals = host.state.vms.filter(other => other !== vm && holdsFiles(other) && disksOf(host, other).length > 0)
  if (rivals.length === 0) return
  const own = await chainsOf(host, vm)
  for (const rival of rivals) {
    for (const theirs of await chainsOf(host, rival)) {
      if (!own.some(mine => isRival(mine, theirs) || isRival(theirs, mine))) continue
      throw refusal(host, { vm }, { doing: 'start', kind: 'hardDisk', reason: 'fileInUse', code: Return.failed })
    }
  }
}

/** Whether the image that one chain begins with is in the other. */
const isRival = ([written]: readonly string[], chain: readonly string[]): boolean =>
  written !== undefined && chain.includes(written)

/** The files of the hard disks of a machine. */
function disksOf(host: Host, vm: Vm): string[] {
  return imagesOf(host, vm).flatMap(image =>
    kindOf(image, host.state.build) === 'hardDisk' ? (imagePath(image) ?? []) : [],
  )
}

/** What each hard disk of a machine is made of. */
function chainsOf(host: Host, vm: Vm): Promise<string[][]> {
  return Promise.all(disksOf(host, vm).map(async path => (await imageChainOf(host, path)).map(normal)))
}
