/** The devices of a VM as a driver wants to be told of them. */

import type { DiskConfig, NicConfig } from '../drivers/driver.ts'
import type { Context, Store } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VBD, VDI, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'

type VmRecord = RecordOf<typeof VM>
type VbdRecord = RecordOf<typeof VBD>

/** The disks and drives of a VM, in the order of their device names, the drive of `bios/cdrom` among them. */
export function diskConfigs({ store, paths }: Pick<Context, 'store' | 'paths'>, vm: VmRecord): DiskConfig[] {
  const disks = vm.VBDs.flatMap(ref => store.get(VBD, ref) ?? []).flatMap(vbd => diskConfig(store, vbd) ?? [])
  const all = vm.bios_cdrom === '' ? disks : [...disks, biosDrive(paths, vm, disks)]
  return all.toSorted(byDevice)
}

/** How a driver is told of a block device; undefined for a disk without an image, which is none. */
export function diskConfig(store: Store, vbd: VbdRecord): DiskConfig | undefined {
  const vdi = vbd.VDI === NULL_REF ? undefined : store.get(VDI, vbd.VDI)
  const kind = ({ Disk: 'disk', CD: 'cdrom', Floppy: 'floppy' } as const)[vbd.type]
  if (vdi === undefined && kind === 'disk') return undefined
  return {
    id: vbd.uuid,
    kind,
    location: vdi?.location ?? '',
    format: vdi?.image_format ?? 'raw',
    readOnly: kind === 'cdrom' || vbd.mode === 'RO' || vdi?.read_only === true,
    device: vbd.device,
    bus: kind !== 'disk' || vbd.driver === 'ioemu' ? 'emulated' : 'paravirtualised',
    shared: vdi?.sharable === true,
  }
}

const IDE_PLACES = ['hdc', 'hdd', 'hdb', 'hda']

/** The drive of `bios/cdrom` has no object of its own; it goes by the UUID of its VM. */
function biosDrive(paths: Context['paths'], vm: VmRecord, disks: readonly DiskConfig[]): DiskConfig {
  const device = IDE_PLACES.find(place => !disks.some(disk => disk.device === place))
  if (device === undefined) {
    const reason = `${IDE_PLACES.toSorted().join(', ')} are taken, and the drive needs one of them`
    throw fail('VALUE_NOT_SUPPORTED', { field: 'bios_cdrom', value: vm.bios_cdrom.slice(0, 100), reason })
  }
  const place = { id: vm.uuid, kind: 'cdrom', device, bus: 'emulated' } as const
  return { ...place, location: paths.check('bios_cdrom', vm.bios_cdrom), format: 'raw', readOnly: true }
}

/** The interfaces of a VM, in the order of their device names. */
export function nicConfigs(store: Store, vm: VmRecord): NicConfig[] {
  return vm.VIFs.flatMap(ref => store.get(VIF, ref) ?? [])
    .map(nicConfig)
    .toSorted(byDevice)
}

/** How a driver is told of an interface. */
export function nicConfig(vif: RecordOf<typeof VIF>): NicConfig {
  return {
    id: vif.uuid,
    mac: vif.MAC.toLowerCase().replaceAll('-', ':'),
    mtu: Number(vif.MTU),
    model: vif.type === 'ioemu' ? 'emulated' : 'paravirtualised',
    device: vif.device,
    network: vif.network === NULL_REF ? null : vif.network,
  }
}

/** Shorter names first, so that `sdz` comes before `sdaa`. */
function byDevice(a: { readonly device: string }, b: { readonly device: string }): number {
  return a.device.length - b.device.length || (a.device < b.device ? -1 : Number(a.device > b.device))
}

/** Throws VDI_IN_USE as `checkDiskFree` does for each disk of the VM. */
export function checkDisksFree(store: Store, vm: VmRecord, isStarting: (vm: string) => boolean): void {
  for (const vbd of vm.VBDs.flatMap(ref => store.get(VBD, ref) ?? [])) {
    checkDiskFree(store, { ...vbd, VM: vm.uuid }, isStarting, 'VM.start')
  }
}

/**
 * The lock on an image: throws VDI_IN_USE where another VM that is not Halted uses it, unless it is sharable or both
 * only read it.
 */
export function checkDiskFree(
  store: Store,
  mine: VbdRecord,
  isStarting: (vm: string) => boolean,
  operation: string,
): void {
  const vdi = mine.VDI === NULL_REF ? undefined : store.get(VDI, mine.VDI)
  if (vdi === undefined || vdi.sharable) return
  const reads = (vbd: VbdRecord) => vbd.mode === 'RO' || vbd.type === 'CD'
  for (const other of vdi.VBDs.flatMap(ref => store.get(VBD, ref) ?? [])) {
    const bothRead = vdi.read_only || (reads(mine) && reads(other))
    const isMine = other.VM === mine.VM || other.uuid === mine.uuid
    const user = isMine || other.VM === NULL_REF ? undefined : store.get(VM, other.VM)
    const isBusy = user !== undefined && (user.power_state !== 'Halted' || isStarting(user.uuid))
    if (!bothRead && isBusy) throw fail('VDI_IN_USE', { vdi: vdi.uuid, operation })
  }
}
