/** A VM's record, its disks and interfaces as a driver wants to be told of them. */

import { readConfig } from '../drivers/driver.ts'
import type {
  BootConfig,
  CpuConfig,
  DiskConfig,
  DomainConfig,
  ExitActions,
  NicConfig,
  PlatformConfig,
} from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import type { VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { diskConfigs, nicConfigs } from './device-config.ts'
import { EVEN, schedulingOf } from './scheduling.ts'

type VmRecord = RecordOf<typeof VM>
/** What a definition is read off. */
export type Parts = Pick<Context, 'store' | 'paths'>

const DEVICE = { HD: 'disk', CDROM: 'cdrom', floppy: 'floppy' } as const

/**
 * The definition of a VM. Throws VALUE_NOT_SUPPORTED or INVALID_VALUE where it describes no machine, PATH_NOT_ALLOWED
 * where it names files of the host that the operator does not let clients name.
 */
export function domainConfig(parts: Parts, vm: VmRecord): DomainConfig {
  const { store } = parts
  const scheduling = schedulingOf(vm.VCPUs_policy, vm.VCPUs_params)
  const target = memoryTarget(vm)
  // No field of a VM says these; what others have chosen and noted on the host stays.
  const kept = readConfig(vm.definition)
  const disks = diskConfigs(parts, vm).map(disk => withKept(disk, kept?.disks, UNSAID_OF_DISK))
  const { annotations, cpu, platform = {} } = kept ?? {}
  const { enlightened = false, rng = false, tablet = false, memoryStatsSeconds } = platform
  const boot = bootConfig(parts, vm, disks)
  return {
    id: vm.domain === '' ? vm.uuid : vm.domain,
    name: vm.name_label,
    description: vm.name_description,
    memoryBytes: Number(vm.memory_static_max),
    ...(target < vm.memory_static_max && { memoryTargetBytes: Number(target) }),
    vcpus: Number(vm.VCPUs_number),
    ...(hasFeatures(vm) ? { cpu: cpuConfig(vm) } : cpu !== undefined && isWhole(cpu) && { cpu }),
    ...(scheduling !== EVEN && { scheduling }),
    boot: isOfDisk(boot) && kept !== undefined && isOfNetwork(kept.boot) ? kept.boot : boot,
    disks,
    nics: nicConfigs(store, vm).map(nic => withKept(nic, kept?.nics, UNSAID_OF_NIC)),
    platform: {
      ...platformConfig(vm),
      ...(enlightened && { enlightened }),
      ...(rng && { rng }),
      ...(tablet && { tablet }),
      ...(memoryStatsSeconds !== undefined && { memoryStatsSeconds }),
    },
    exits: exitActions(vm),
    ...(annotations !== undefined && { annotations }),
  }
}

const UNSAID_OF_DISK = ({ limits, alias }: DiskConfig) => ({
  ...(limits !== undefined && { limits }),
  ...(alias !== undefined && { alias }),
})

const UNSAID_OF_NIC = ({ linkDown, alias }: NicConfig) => ({
  ...(linkDown !== undefined && { linkDown }),
  ...(alias !== undefined && { alias }),
})

/** A device with what no field of a VBD or VIF says of it. */
function withKept<D extends { readonly id: string }>(
  device: D,
  kept: readonly D[] = [],
  unsaid: (kept: D) => Partial<D>,
): D {
  const before = kept.find(({ id }) => id === device.id)
  return before === undefined ? device : { ...device, ...unsaid(before) }
}

const isOfDisk = (boot: BootConfig): boolean => boot.kind === 'firmware' && boot.device === 'disk'

/** The draft has no word for it: such a VM says that it boots from its disk, until somebody says something else. */
const isOfNetwork = (boot: BootConfig): boolean => boot.kind === 'firmware' && boot.device === 'network'

/** What the VM is to have of its memory while nobody else needs it. */
export function memoryTarget({ memory_dynamic_max, memory_static_max }: VmRecord): bigint {
  return memory_dynamic_max === 0n || memory_dynamic_max > memory_static_max ? memory_static_max : memory_dynamic_max
}

/** Whether a host can be told of the VM: clients may choose its kernel after they have made it. */
export function isDescribed({ boot_method, kernel_kernel, kernel_initrd }: VmRecord): boolean {
  if (boot_method === 'bios' || boot_method === 'grub') return true
  const isPath = (text: string) => text.startsWith('/')
  return isPath(kernel_kernel) && (kernel_initrd === '' || isPath(kernel_initrd))
}

/** Throws INVALID_VALUE where a VM would be started without what it is to boot from. */
export function checkBootable(vm: VmRecord): void {
  if (isDescribed(vm)) return
  const isKernel = !vm.kernel_kernel.startsWith('/')
  const [field, value] = isKernel ? ['kernel_kernel', vm.kernel_kernel] : ['kernel_initrd', vm.kernel_initrd]
  throw fail('INVALID_VALUE', { field, value })
}

function bootConfig({ paths }: Parts, vm: VmRecord, disks: readonly DiskConfig[]): BootConfig {
  const { kernel_kernel: kernel, kernel_args, grub_cmdline, builder } = vm
  const initrd = vm.kernel_initrd === '' ? null : vm.kernel_initrd
  if (builder !== '' && builder !== 'hvm' && (builder !== 'linux' || vm.boot_method === 'bios')) {
    const reason = 'there are hvm, and for booting a kernel linux'
    throw fail('VALUE_NOT_SUPPORTED', { field: 'builder', value: builder.slice(0, 100), reason })
  }
  if (vm.boot_method === 'bios') {
    const device = DEVICE[vm.bios_boot]
    // Without a disk it says so on its screen, and may be given one there; a drive it would never get.
    if (device !== 'disk' && !disks.some(disk => disk.kind === device)) {
      const reason = 'the VM has no such drive: give it a VBD of that type, or bios/cdrom'
      throw fail('VALUE_NOT_SUPPORTED', { field: 'bios_boot', value: vm.bios_boot, reason })
    }
    return { kind: 'firmware', device }
  }
  if (vm.boot_method === 'kernel_external') {
    const real = paths.check('kernel_kernel', kernel)
    const realInitrd = initrd === null ? null : paths.check('kernel_initrd', initrd)
    return { kind: 'kernel', kernel: real, initrd: realInitrd, cmdline: kernel_args }
  }
  if (!disks.some(disk => disk.kind === 'disk')) {
    const reason = 'the VM has no disk on which the kernel could be'
    throw fail('VALUE_NOT_SUPPORTED', { field: 'boot_method', value: vm.boot_method, reason })
  }
  if (vm.boot_method === 'grub') return { kind: 'guest-grub', cmdline: grub_cmdline }
  return { kind: 'guest-kernel', kernel, initrd, cmdline: kernel_args }
}

function hasFeatures(vm: VmRecord): boolean {
  const sets = [vm.VCPUs_features_required, vm.VCPUs_features_can_use]
  return [...sets, vm.VCPUs_features_force_on, vm.VCPUs_features_force_off].some(set => set.length > 0)
}

/** Whether it is the CPU with all that the host can offer. */
const isWhole = ({ required, canUse, forceOn, forceOff }: CpuConfig): boolean =>
  [required, canUse, forceOn, forceOff].every(features => features.length === 0)

const cpuConfig = (vm: VmRecord): CpuConfig => ({
  required: vm.VCPUs_features_required,
  canUse: vm.VCPUs_features_can_use,
  forceOn: vm.VCPUs_features_force_on,
  forceOff: vm.VCPUs_features_force_off,
})

function platformConfig(vm: VmRecord): PlatformConfig {
  return {
    vga: vm.platform_std_VGA ? 'std' : 'cirrus',
    serial: serialPort(vm.platform_serial),
    localTime: vm.platform_localtime,
    keepClockOffset: vm.platform_clock_offset,
    audio: vm.platform_enable_audio,
    tpm: vm.TPM_instance !== 0n || vm.TPM_backend !== 0n,
    pciDevices: vm.PCI_bus.split(/[\s,;]+/).filter(address => address !== ''),
  }
}

/** The draft knows of a pseudo terminal alone; without one the port is the serial console. */
function serialPort(value: string): 'console' | 'pty' | 'none' {
  if (value === '') return 'console'
  if (value === 'pty' || value === 'none') return value
  const reason = 'there are pty and none; empty is the serial console'
  throw fail('VALUE_NOT_SUPPORTED', { field: 'platform_serial', value: value.slice(0, 100), reason })
}

const ON_EXIT = { destroy: 'halt', restart: 'restart' } as const

/** What takes more than the host alone holds the crashed guest until it is done. */
function exitActions(vm: VmRecord): ExitActions {
  const crash = vm.actions_after_crash
  return {
    shutdown: ON_EXIT[vm.actions_after_shutdown],
    reboot: ON_EXIT[vm.actions_after_reboot],
    suspend: ON_EXIT[vm.actions_after_suspend],
    crash: crash === 'destroy' || crash === 'restart' ? ON_EXIT[crash] : 'hold',
  }
}
