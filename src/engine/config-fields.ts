/** Definitions of domains told the other way round: as fields of VMs, block devices and interfaces. */

import type { BootConfig, DiskConfig, DomainConfig, NicConfig } from '../drivers/driver.ts'
import { cpuFeature } from '../model/enums.ts'
import type { VBD, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'

/** Fields of a VM. */
export type VmValues = Partial<RecordOf<typeof VM>>

/** The drive of `bios/cdrom`, which goes by the identifier of its domain. */
export const biosDrive = ({ id, disks }: DomainConfig): DiskConfig | undefined =>
  disks.find(disk => disk.id === id && disk.kind === 'cdrom')

/** What a definition says of its VM, devices apart. */
export function vmFields(config: DomainConfig): VmValues {
  const { cpu, scheduling, platform = {}, exits } = config
  return {
    name_label: config.name,
    name_description: config.description,
    memory_static_max: BigInt(config.memoryBytes),
    memory_dynamic_max: BigInt(config.memoryTargetBytes ?? config.memoryBytes),
    VCPUs_number: BigInt(config.vcpus),
    ...(scheduling && { VCPUs_policy: 'credit', VCPUs_params: schedulingParams(scheduling) }),
    VCPUs_features_required: features(cpu?.required),
    VCPUs_features_can_use: features(cpu?.canUse),
    VCPUs_features_force_on: features(cpu?.forceOn),
    VCPUs_features_force_off: features(cpu?.forceOff),
    ...(exits && exitFields(exits)),
    platform_std_VGA: platform.vga === 'std',
    platform_serial: platform.serial === undefined || platform.serial === 'console' ? '' : platform.serial,
    platform_localtime: platform.localTime === true,
    platform_clock_offset: platform.keepClockOffset === true,
    platform_enable_audio: platform.audio === true,
    TPM_instance: platform.tpm === true ? 1n : 0n,
    PCI_bus: (platform.pciDevices ?? []).join(' '),
    bios_cdrom: biosDrive(config)?.location ?? '',
    ...bootFields(config.boot),
  }
}

type Feature = RecordOf<typeof VM>['VCPUs_features_required'][number]

const isFeature = (name: string): name is Feature => Object.hasOwn(cpuFeature.values, name)
const features = (names: readonly string[] = []): readonly Feature[] => names.filter(isFeature)

function schedulingParams({ weight, capPercent, affinity }: NonNullable<DomainConfig['scheduling']>): string {
  const cpus = affinity === null ? [] : [`affinity=${affinity.join(',')}`]
  return [`weight=${weight}`, `cap=${capPercent ?? 0}`, ...cpus].join('; ')
}

const ON_EXIT = { halt: 'destroy', restart: 'restart' } as const
/** What was to become of one that the host holds when it crashes is known to nobody; held it is not lost. */
const ON_CRASH = { ...ON_EXIT, hold: 'preserve' } as const

function exitFields({ shutdown, reboot, suspend, crash }: NonNullable<DomainConfig['exits']>): VmValues {
  return {
    actions_after_shutdown: ON_EXIT[shutdown],
    actions_after_reboot: ON_EXIT[reboot],
    actions_after_suspend: ON_EXIT[suspend],
    actions_after_crash: ON_CRASH[crash],
  }
}

/** The draft has no word for the network. */
const BOOT_OPTION = { disk: 'HD', cdrom: 'CDROM', floppy: 'floppy', network: 'HD' } as const

function bootFields(boot: BootConfig): VmValues {
  if (boot.kind === 'firmware') return { boot_method: 'bios', bios_boot: BOOT_OPTION[boot.device] }
  if (boot.kind === 'guest-grub') return { boot_method: 'grub', grub_cmdline: boot.cmdline }
  const { kernel, initrd, cmdline } = boot
  const boot_method = boot.kind === 'kernel' ? 'kernel_external' : 'kernel_internal'
  return { boot_method, kernel_kernel: kernel, kernel_initrd: initrd ?? '', kernel_args: cmdline }
}

const BLOCK_DEVICE = { disk: 'Disk', cdrom: 'CD', floppy: 'Floppy' } as const

/** What a definition says of a disk or drive, its image apart. */
export const vbdFields = ({ device, kind, readOnly, bus }: DiskConfig): Partial<RecordOf<typeof VBD>> => ({
  device,
  type: BLOCK_DEVICE[kind ?? 'disk'],
  mode: readOnly ? 'RO' : 'RW',
  driver: bus === 'emulated' ? 'ioemu' : 'paravirtualised',
})

/** What a definition says of an interface, its network apart. */
export const vifFields = ({ device, mac, mtu, model }: NicConfig): Partial<RecordOf<typeof VIF>> => ({
  device,
  MAC: mac,
  MTU: BigInt(mtu),
  type: model === 'emulated' ? 'ioemu' : 'paravirtualised',
})
