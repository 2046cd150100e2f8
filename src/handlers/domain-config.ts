/** A VM's record, its disks and their images as a driver wants to be told of them. */

import type { BootConfig, DiskConfig, DomainConfig } from '../drivers/driver.ts'
import type { Store } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VBD, VDI, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'

type VmRecord = RecordOf<typeof VM>

const DEVICE = { HD: 'disk', CDROM: 'cdrom', floppy: 'floppy' } as const

/** The definition of a VM. Throws VALUE_NOT_SUPPORTED or INVALID_VALUE where it describes no bootable machine. */
export function domainConfig(store: Store, vm: VmRecord): DomainConfig {
  return {
    id: vm.domain === '' ? vm.uuid : vm.domain,
    name: vm.name_label,
    description: vm.name_description,
    memoryBytes: Number(vm.memory_static_max),
    vcpus: Number(vm.VCPUs_number),
    boot: bootConfig(vm),
    disks: diskConfigs(store, vm),
  }
}

/** Whether a host can be told of the VM: clients may choose its kernel after they have made it. */
export function isDescribed({ boot_method, kernel_kernel, kernel_initrd }: VmRecord): boolean {
  if (boot_method === 'bios') return true
  const isPath = (text: string) => text.startsWith('/')
  return boot_method === 'kernel_external' && isPath(kernel_kernel) && (kernel_initrd === '' || isPath(kernel_initrd))
}

/** Throws VALUE_NOT_SUPPORTED or INVALID_VALUE where a VM would be started without what it is to boot from. */
export function checkBootable(vm: VmRecord): void {
  const { boot_method, bios_boot, bios_cdrom, kernel_kernel } = vm
  const reason = 'no driver has a CD or floppy drive yet; boot from a disk (HD) or a kernel'
  if (boot_method === 'bios' && bios_boot !== 'HD') {
    throw fail('VALUE_NOT_SUPPORTED', { field: 'bios_boot', value: bios_boot, reason })
  }
  if (bios_cdrom !== '') throw fail('VALUE_NOT_SUPPORTED', { field: 'bios_cdrom', value: bios_cdrom, reason })
  if (boot_method === 'kernel_external' && !isDescribed(vm)) {
    const isKernel = !kernel_kernel.startsWith('/')
    const [field, value] = isKernel ? ['kernel_kernel', kernel_kernel] : ['kernel_initrd', vm.kernel_initrd]
    throw fail('INVALID_VALUE', { field, value })
  }
}

function bootConfig(vm: VmRecord): BootConfig {
  switch (vm.boot_method) {
    case 'bios':
      return { kind: 'firmware', device: DEVICE[vm.bios_boot] }
    case 'kernel_external': {
      const { kernel_kernel: kernel, kernel_initrd: initrd, kernel_args: cmdline } = vm
      return { kind: 'kernel', kernel, initrd: initrd === '' ? null : initrd, cmdline }
    }
    default:
      throw fail('VALUE_NOT_SUPPORTED', {
        field: 'boot_method',
        value: vm.boot_method,
        reason: 'no driver boots this way; use bios or kernel_external',
      })
  }
}

/** The disks of a VM, in the order of their device names. A VBD without an image is an empty drive and left out. */
function diskConfigs(store: Store, vm: VmRecord): DiskConfig[] {
  return vm.VBDs.flatMap(ref => {
    const vbd = store.get(VBD, ref)
    const vdi = vbd === undefined || vbd.VDI === NULL_REF ? undefined : store.get(VDI, vbd.VDI)
    if (vbd === undefined || vdi === undefined) return []
    return {
      id: vbd.uuid,
      location: vdi.location,
      format: vdi.image_format,
      readOnly: vbd.mode === 'RO' || vdi.read_only,
      device: vbd.device,
      bus: vbd.driver === 'ioemu' ? ('emulated' as const) : ('paravirtualised' as const),
    }
  }).sort((a, b) => a.device.length - b.device.length || (a.device < b.device ? -1 : 1))
}

/**
 * Throws VDI_IN_USE where a disk of the VM is already in use by another VM that is not Halted, unless the image is
 * sharable or both only read it.
 */
export function checkDisksFree(store: Store, vm: VmRecord, isStarting: (vm: string) => boolean): void {
  for (const mine of vm.VBDs.flatMap(ref => store.get(VBD, ref) ?? [])) {
    const vdi = mine.VDI === NULL_REF ? undefined : store.get(VDI, mine.VDI)
    if (vdi === undefined || vdi.sharable) continue
    for (const other of vdi.VBDs.flatMap(ref => store.get(VBD, ref) ?? [])) {
      const bothRead = vdi.read_only || (mine.mode === 'RO' && other.mode === 'RO')
      const user = other.VM === vm.uuid || other.VM === NULL_REF ? undefined : store.get(VM, other.VM)
      const isBusy = user !== undefined && (user.power_state !== 'Halted' || isStarting(user.uuid))
      if (!bothRead && isBusy) {
        throw fail('VDI_IN_USE', { vdi: vdi.uuid, operation: 'VM.start' })
      }
    }
  }
}
