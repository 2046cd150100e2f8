import type { ImageFormat } from '../../drivers/driver.ts'
import { lookup } from './lookup.ts'

/** What libvirt's words mean on the hosts of a driver, and which of them are used for these. */
export interface HostKind {
  /** The types of domains that it takes; the first is what its own are told to be. */
  readonly types: readonly [string, ...string[]]
  readonly paravirtualisedBus: 'scsi' | 'virtio'
  readonly paravirtualisedNic: string
  readonly emulatedNic: string
  /** How many drives one controller of each bus has, in each of its rows. */
  readonly places: Readonly<Partial<Record<DriveBus, Places>>>
  /** The first three octets of addresses that are chosen here. */
  readonly macPrefix: string
  /** Paths are those of Windows: a backslash parts folders, however often it is repeated. */
  readonly hasWindowsPaths: boolean
  /** What an image is whose description names no format. */
  readonly formatOf: (location: string) => ImageFormat
  /** The types of board that it has, by libvirt's names. */
  readonly machines: RegExp
  /** The machine that its domains are told to have. */
  readonly machine: string | undefined
  readonly tpmModel: string
  /** What a CPU is called that has all that the host can offer, but for features that are spoken of. */
  readonly cpuMode: 'host-passthrough' | 'maximum'
  /** What is told of the CPU where nothing is said of it: that it is of this mode, or nothing. */
  readonly usualCpu: 'host-passthrough' | undefined
  /**
   * What a host does that is asked to have for its guests what Hyper-V has: some can be chosen to, Hyper-V always does, and
   * for an emulated CPU there is nothing of the kind, which a guest can do without.
   */
  readonly enlightenment: 'chosen' | 'always' | 'never'
  /** What machines can have, as they are told to clients that choose by it. */
  readonly offer: DeviceOffer
  /** What a network is that is bound to no card: one of which nobody outside knows, or one that goes out as the host. */
  readonly unboundForward: 'none' | 'nat'
  /** What the host calls its own interface in a network of a name, where it tells whether it has one. */
  readonly hostInterface?: (network: string) => string
  /** Whether screens are looked at as VNC. */
  readonly hasVnc: boolean
  /**
   * Whether every machine has a mouse and a keyboard of a PC, a port for an agent in the guest, a balloon, and what hears
   * of panics, whatever its definition says.
   */
  readonly hasStandingDevices: boolean
  /** Whether a machine gets a source of random numbers where it is to have one; elsewhere it gathers its own. */
  readonly hasRng: boolean
  /** Whether guests tell of their memory, as often as they are to. */
  readonly hasMemoryStats: boolean
  /** Whether a machine gets a tablet where it is to have one; elsewhere the mouse of each is as good. */
  readonly hasTablet: boolean
  /** The program that runs domains, where there is one to tell. */
  readonly emulator?: string
}

/** What devices machines can have, by libvirt's names; none where a list is empty. */
export interface DeviceOffer {
  readonly buses: readonly string[]
  readonly videos: readonly string[]
  readonly tpms: readonly string[]
  /** By what devices of the host are given to guests. */
  readonly hostDevices: readonly string[]
  /** Where ports lead that guests talk with the host through, beside the serial one. */
  readonly channels: readonly string[]
}

/** A bus that has drives by controller, row and unit. */
export type DriveBus = 'ide' | 'scsi' | 'fdc'

/** The rows of drives that a controller has, and the drives of a row. */
export interface Places {
  /** Absent where there are as many as are needed. */
  readonly controllers?: number
  readonly rows: number
  readonly units: number
}

const NONE = /^$/
const ENDINGS: Readonly<Record<string, ImageFormat>> = {
  vhd: 'vhd',
  avhd: 'vhd',
  vhdx: 'vhdx',
  avhdx: 'vhdx',
  qcow2: 'qcow2',
}

/** By the ending of the file: a host that has no other way to tell formats apart. */
function formatByEnding(location: string): ImageFormat {
  const ending = /\.([^.\\/]*)$/.exec(location)?.[1]?.toLowerCase() ?? ''
  return lookup(ENDINGS, ending) ?? 'raw'
}

/**
 * A host with two IDE controllers of two drives each, of which the document says `hda` to `hdd`, and with 64 drives on
 * each SCSI controller. Source: "libvirt driver for Hyper-V", §3.1.4; Microsoft Learn, "Hyper-V maximums".
 */
const HYPERV: HostKind = {
  types: ['hyperv'],
  paravirtualisedBus: 'scsi',
  paravirtualisedNic: 'netvsc',
  emulatedNic: 'tulip',
  places: { ide: { controllers: 2, rows: 1, units: 2 }, scsi: { rows: 1, units: 64 }, fdc: { rows: 1, units: 2 } },
  macPrefix: '00:15:5d',
  hasWindowsPaths: true,
  formatOf: formatByEnding,
  machines: NONE,
  machine: undefined,
  tpmModel: 'tpm-crb',
  cpuMode: 'host-passthrough',
  usualCpu: undefined,
  enlightenment: 'always',
  offer: { buses: ['fdc', 'ide', 'scsi'], videos: ['vga'], tpms: [], hostDevices: [], channels: [] },
  unboundForward: 'none',
  hostInterface: network => `vEthernet (${network})`,
  hasVnc: false,
  hasStandingDevices: false,
  hasRng: false,
  hasMemoryStats: false,
  hasTablet: false,
}

/** Never looks at the image: a guest that writes another format's header into its raw disk is not to choose what is read. */
const QEMU: HostKind = {
  types: ['kvm', 'qemu'],
  paravirtualisedBus: 'virtio',
  paravirtualisedNic: 'virtio',
  emulatedNic: 'e1000',
  places: { ide: { rows: 2, units: 2 }, fdc: { rows: 1, units: 2 } },
  macPrefix: '52:54:00',
  hasWindowsPaths: false,
  formatOf: () => 'raw',
  machines: /^pc(-i440fx-[\w.+-]{1,32})?$/,
  machine: 'pc',
  tpmModel: 'tpm-tis',
  cpuMode: 'host-passthrough',
  usualCpu: 'host-passthrough',
  enlightenment: 'chosen',
  offer: {
    buses: ['fdc', 'ide', 'virtio'],
    videos: ['vga', 'cirrus', 'none'],
    tpms: ['tpm-tis'],
    hostDevices: ['vfio'],
    channels: ['unix'],
  },
  unboundForward: 'nat',
  hasVnc: true,
  hasStandingDevices: true,
  hasRng: true,
  hasMemoryStats: true,
  hasTablet: true,
}

/** Without KVM a CPU is emulated, by itself a plain one. */
const EMULATED: HostKind = {
  ...QEMU,
  types: ['qemu'],
  cpuMode: 'maximum',
  usualCpu: undefined,
  enlightenment: 'never',
}

const TEST: HostKind = {
  ...QEMU,
  types: ['test'],
  formatOf: formatByEnding,
  machines: NONE,
  machine: undefined,
  usualCpu: undefined,
  hasStandingDevices: false,
}

/**
 * The kind of host that a driver of this name drives. `accelerator` is what a QEMU host says it has: with `kvm`, a domain
 * of type `qemu` runs all the same and faster; without, one of type `kvm` cannot be had. `emulator` is the program that
 * runs them.
 */
export function hostKind(driver: string, accelerator?: string, emulator?: string): HostKind {
  if (driver === 'hyperv') return HYPERV
  if (driver !== 'qemu') return TEST
  return { ...(accelerator === 'kvm' ? QEMU : EMULATED), ...(emulator !== undefined && { emulator }) }
}
