/** Making VMs of domains that nobody told us of: their definitions, told the other way round. */

import { randomUUID } from 'node:crypto'
import {
  type BootConfig,
  type DiskConfig,
  type Domain,
  type DomainConfig,
  type Driver,
  DriverError,
  type NicConfig,
} from '../drivers/driver.ts'
import { cpuFeature } from '../model/enums.ts'
import { network, SR, VBD, VDI, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import type { Transaction } from '../store/store.ts'

type VmValues = Partial<RecordOf<typeof VM>>

/** A domain and its definition. */
export interface Found {
  readonly domain: Domain
  readonly config: DomainConfig
}

const READS_AT_ONCE_MAX = 32

/** The definitions of domains; of one that went away in between, undefined. */
export async function readConfigs(driver: Driver, domains: readonly Domain[]): Promise<readonly (Found | undefined)[]> {
  const found: (Found | undefined)[] = []
  for (let start = 0; start < domains.length; start += READS_AT_ONCE_MAX) {
    const part = domains.slice(start, start + READS_AT_ONCE_MAX)
    found.push(...(await Promise.all(part.map(domain => readConfig(driver, domain)))))
  }
  return found
}

/** A domain and its definition; undefined where it went away in between. */
export async function readConfig(driver: Driver, domain: Domain): Promise<Found | undefined> {
  try {
    return { domain, config: await driver.domains.config(domain.id) }
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'not-found') return undefined
    throw error
  }
}

/** Makes a VM of a domain, with its disks and interfaces. Answers it; what state it is in is for the caller to record. */
export function adopt(transaction: Transaction, host: string, { domain, config }: Found): string {
  const uuid = transaction.get(VM, config.id) === undefined ? config.id : randomUUID()
  const boot = bootFields(config.boot)
  transaction.insert(VM, newRecord(VM, { ...fieldsOf(config), ...boot, uuid, affinity: host, domain: config.id }))
  const currently_attached = domain.state !== 'halted'
  for (const disk of config.disks) {
    if (disk === biosDrive(config)) continue
    const values = { ...diskFields(disk), VM: uuid, VDI: imageOf(transaction, host, disk), currently_attached }
    transaction.insert(VBD, newRecord(VBD, { ...values, uuid: freeUuid(transaction, VBD, disk.id) }))
  }
  for (const nic of config.nics ?? []) {
    const isKnown = nic.network !== null && transaction.get(network, nic.network) !== undefined
    const values = { ...nicFields(nic), VM: uuid, network: isKnown ? (nic.network ?? NULL_REF) : NULL_REF }
    const vif = { ...values, currently_attached, uuid: freeUuid(transaction, VIF, nic.id) }
    transaction.insert(VIF, newRecord(VIF, vif))
  }
  return uuid
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The identifier that the host has, where it can be ours: then what the host says of it later is found again. */
function freeUuid(transaction: Transaction, of: typeof VBD | typeof VIF, id: string): string {
  return UUID.test(id) && transaction.get(of, id) === undefined ? id : randomUUID()
}

/** The drive of `bios/cdrom`, which goes by the identifier of its domain. */
const biosDrive = ({ id, disks }: DomainConfig): DiskConfig | undefined =>
  disks.find(disk => disk.id === id && disk.kind === 'cdrom')

function fieldsOf(config: DomainConfig): VmValues {
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

const BOOT_OPTION = { disk: 'HD', cdrom: 'CDROM', floppy: 'floppy' } as const

function bootFields(boot: BootConfig): VmValues {
  if (boot.kind === 'firmware') return { boot_method: 'bios', bios_boot: BOOT_OPTION[boot.device] }
  if (boot.kind === 'guest-grub') return { boot_method: 'grub', grub_cmdline: boot.cmdline }
  const { kernel, initrd, cmdline } = boot
  const boot_method = boot.kind === 'kernel' ? 'kernel_external' : 'kernel_internal'
  return { boot_method, kernel_kernel: kernel, kernel_initrd: initrd ?? '', kernel_args: cmdline }
}

const BLOCK_DEVICE = { disk: 'Disk', cdrom: 'CD', floppy: 'Floppy' } as const

const diskFields = ({ device, kind, readOnly, bus }: DiskConfig): Partial<RecordOf<typeof VBD>> => ({
  device,
  type: BLOCK_DEVICE[kind ?? 'disk'],
  mode: readOnly ? 'RO' : 'RW',
  driver: bus === 'emulated' ? 'ioemu' : 'paravirtualised',
})

const nicFields = ({ device, mac, mtu, model }: NicConfig): Partial<RecordOf<typeof VIF>> => ({
  device,
  MAC: mac,
  MTU: BigInt(mtu),
  type: model === 'emulated' ? 'ioemu' : 'paravirtualised',
})

/** The object of a disk's image; null of an empty drive. Locations are the host's own: other hosts may have the same. */
function imageOf(transaction: Transaction, host: string, disk: DiskConfig): string {
  if (disk.location === '') return NULL_REF
  const isIt = (ref: string) => {
    const { location, SR: sr = NULL_REF } = transaction.get(VDI, ref) ?? {}
    return location === disk.location && (sr === NULL_REF || transaction.get(SR, sr)?.host === host)
  }
  return transaction.all(VDI).find(isIt) ?? adoptImage(transaction, disk)
}

/** An image that is in no repository we know of: kept, or the VM would lose it at its next start. A scan gives it its SR. */
function adoptImage(transaction: Transaction, { location, format, shared }: DiskConfig): string {
  const uuid = randomUUID()
  const values = { uuid, name_label: location, location, image_format: format, sharable: shared === true }
  transaction.insert(VDI, newRecord(VDI, values))
  return uuid
}
