import type { Host } from '../host/host.ts'
import type { Settings, Vm } from '../host/model.ts'
import { sameId } from '../host/resources-ids.ts'
import { imagePath, imagesOf } from '../host/resources-images.ts'
import { idOf, kindOf } from '../host/resources-settings.ts'
import { parentIdOf } from '../host/slots.ts'
import { pathsOfChain } from './chain.ts'
import { extensionOf, sameFileKey } from './windows-path.ts'

/** Server 2012 R2. */
const ONLINE_GROWTH_BUILD = 9600

/**
 * Whether an image that machines have open can be made larger meanwhile: it is a VHDX, is in drives of SCSI, and nothing
 * that is open builds on it. Source: Microsoft Learn, "Online Virtual Hard Disk Resizing Overview".
 */
export async function growsInUse(host: Host, path: string): Promise<boolean> {
  const { build, mounted, vms } = host.state
  const wanted = sameFileKey(path)
  const isMounted = mounted.some(image => sameFileKey(image.path) === wanted)
  if (build < ONLINE_GROWTH_BUILD || extensionOf(path) !== 'vhdx' || isMounted) return false
  let isOpen = false
  for (const vm of vms.filter(({ processId }) => processId !== undefined)) {
    for (const image of imagesOf(host, vm)) {
      const chain = (await pathsOfChain(host, imagePath(image) ?? '')).map(sameFileKey)
      if (!chain.includes(wanted)) continue
      if (chain[0] !== wanted || !isOnScsi(host, vm, image)) return false
      isOpen = true
    }
  }
  return isOpen
}

function isOnScsi({ state }: Host, vm: Vm, image: Settings): boolean {
  const named = (id: string) => vm.configuration.resources.find(one => sameId(idOf(one), id))
  const drive = named(parentIdOf(image))
  const controller = drive && named(parentIdOf(drive))
  return controller !== undefined && kindOf(controller, state.build) === 'scsiController'
}
