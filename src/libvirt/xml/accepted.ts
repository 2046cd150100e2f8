import type { Harmless, HarmlessList } from './harmless.ts'

/*
 * What libvirt and its clients write into descriptions that has no meaning for a host here, and may be left out of its
 * definition without anything being lost. Each with its reason; whatever is not as it stands here is refused by name.
 */

const ANY = /^[^]*$/
const NUMBER = /^\d{1,10}$/
const HEX = /^(0x)?[0-9a-fA-F]{1,8}$/
const ON_OFF = ['on', 'off'] as const
const OFF = ['off', 'no'] as const

/** Where on a bus a device sits, of which hosts here decide themselves. Drives are looked at by their place: see place.ts. */
const PCI_ADDRESS: Harmless = {
  why: 'the board gives its devices their places',
  attributes: {
    type: ['pci', 'usb', 'ccw', 'virtio-serial', 'isa', 'dimm', 'spapr-vio'],
    domain: HEX,
    bus: HEX,
    slot: HEX,
    function: HEX,
    multifunction: ON_OFF,
    port: /^[\d.]{1,20}$/,
    controller: NUMBER,
    iobase: HEX,
    irq: HEX,
  },
}

const ALIAS: Harmless = {
  why: 'libvirt names the devices of a running domain so; those of the definition have their own ids',
  attributes: { name: ANY },
}

const ACPI_INDEX: Harmless = { why: 'the board numbers its devices itself', attributes: { index: ['0'] } }

const LOOPBACK = ['127.0.0.1', '::1', 'localhost'] as const

/** What a screen that is looked at from here may have. */
const GRAPHICS = {
  attributes: {
    type: ['vnc'],
    autoport: ['yes'],
    listen: LOOPBACK,
    sharePolicy: ['allow-exclusive', 'force-shared', 'ignore'],
    keymap: /^[\w-]{1,16}$/,
  },
  children: {
    listen: [
      { why: 'nowhere but here', attributes: { type: ['address'], address: LOOPBACK } },
      { why: 'only through this API', attributes: { type: ['none'] } },
    ],
  },
} as const

/** What any device may have. */
export const OF_ANY_DEVICE: HarmlessList = { address: PCI_ADDRESS, alias: ALIAS, acpi: ACPI_INDEX }

/** What a disk may have besides; its address is read. */
export const OF_DISK: HarmlessList = {
  alias: ALIAS,
  backingStore: {
    why: 'an image says itself what it builds on; libvirt writes an empty one of an image that is whole',
  },
}

/** What the source of a disk may have besides. */
export const OF_DISK_SOURCE: HarmlessList = {
  seclabel: { why: 'nothing here labels images', attributes: { model: ANY, relabel: ['no'] } },
}

/** How the image of a disk is read and written, which does not change what is in it; only modes that lose nothing. */
export const DISK_DRIVER: Readonly<Record<string, readonly string[]>> = {
  name: ['qemu', 'hyperv', 'test'],
  cache: ['default', 'none', 'writeback', 'writethrough', 'directsync'],
  io: ['native', 'threads', 'io_uring'],
  discard: ['ignore', 'unmap'],
  detect_zeroes: ['off', 'on', 'unmap'],
  copy_on_read: ['off'],
  error_policy: ['stop', 'report', 'enospace'],
  rerror_policy: ['stop', 'report'],
}

/** What an interface may have besides. */
export const OF_INTERFACE: HarmlessList = {
  ...OF_ANY_DEVICE,
  driver: { why: 'where packets are copied does not change them', attributes: { name: ['vhost', 'qemu'] } },
}

/** What may stand beside the devices. */
export const OF_DOMAIN: HarmlessList = {
  resource: {
    why: 'libvirt writes it of running domains: the group of processes that they are in',
    children: { partition: { why: 'the only one', text: /^\/machine$/ } },
  },
  seclabel: {
    why: 'no label, or one that the host chooses itself',
    attributes: { type: ['none', 'dynamic'], model: ANY, relabel: ['yes', 'no'] },
    children: {
      label: { why: 'chosen by the host that wrote it', text: ANY },
      imagelabel: { why: 'chosen by the host that wrote it', text: ANY },
    },
  },
  pm: {
    why: 'virt-install writes that guests are not told of sleep; a host here tells them what it always does',
    children: {
      'suspend-to-mem': { why: 'see pm', attributes: { enabled: ['no'] } },
      'suspend-to-disk': { why: 'see pm', attributes: { enabled: ['no'] } },
    },
  },
}

const ON_BY_ITSELF: Harmless = { why: 'every board here has it', attributes: { state: ['on'], eoi: ['on', 'off'] } }
const IS_OFF: Harmless = { why: 'no board here is told to have it', attributes: { state: OFF } }
const ENLIGHTENED: Harmless = { why: 'see hyperv', attributes: { state: ON_OFF, retries: NUMBER, mode: ['direct'] } }

/** Features of the board. */
export const OF_FEATURES: HarmlessList = {
  acpi: ON_BY_ITSELF,
  apic: ON_BY_ITSELF,
  pae: ON_BY_ITSELF,
  hap: { why: 'the host uses it where it has it', attributes: { state: ON_OFF } },
  vmport: IS_OFF,
  smm: IS_OFF,
  pvspinlock: IS_OFF,
  pmu: IS_OFF,
  viridian: IS_OFF,
  privnet: IS_OFF,
  ioapic: { why: 'who plays it cannot be seen from the guest', attributes: { driver: ['qemu', 'kvm'] } },
}

const HYPERV_CHILDREN: HarmlessList = {
  relaxed: ENLIGHTENED,
  vapic: ENLIGHTENED,
  spinlocks: ENLIGHTENED,
  vpindex: ENLIGHTENED,
  synic: ENLIGHTENED,
}

/** Besides, on a host that is Hyper-V: virt-install asks for these where the guest is Windows. */
export const OF_FEATURES_OF_HYPERV: HarmlessList = {
  ...OF_FEATURES,
  viridian: { why: 'guests of Hyper-V see Hyper-V', attributes: { state: ['on'] } },
  hyperv: {
    why: 'guests of Hyper-V see Hyper-V, with all that it has',
    attributes: { mode: ['custom', 'passthrough'] },
    children: HYPERV_CHILDREN,
  },
}

/** Besides, where CPUs are emulated. */
export const OF_FEATURES_OF_EMULATED: HarmlessList = {
  ...OF_FEATURES,
  hyperv: {
    why: 'Windows runs better with it and as well without; an emulated CPU has nothing of it',
    attributes: { mode: ['custom'] },
    children: HYPERV_CHILDREN,
  },
}

/** Timers: what virt-install writes by itself is what boards here do. */
const TIMERS: readonly Harmless[] = [
  { why: 'ticks that a guest misses are made up for', attributes: { name: ['rtc'], tickpolicy: ['catchup'] } },
  { why: 'ticks that a guest misses come later', attributes: { name: ['pit'], tickpolicy: ['delay'] } },
  { why: 'virt-install writes it of every machine', attributes: { name: ['hpet', 'kvmclock'], present: ['no'] } },
]

/** What a clock may have besides. */
export const OF_CLOCK: HarmlessList = { timer: TIMERS }

const HYPERV_CLOCK = { name: ['hypervclock'], present: ['yes'] } as const

/** The same on a host that is Hyper-V. */
export const OF_CLOCK_OF_HYPERV: HarmlessList = {
  timer: [...TIMERS, { why: 'guests that know it use it', attributes: HYPERV_CLOCK }],
}

/** The same where it goes with what else Hyper-V has for its guests, or with nothing. */
export const OF_CLOCK_OF_ENLIGHTENED: HarmlessList = {
  timer: [...TIMERS, { why: 'a guest has it where it has the other enlightenments', attributes: HYPERV_CLOCK }],
}

const DRIVE_CONTROLLERS = ['ide', 'fdc', 'sata', 'scsi', 'virtio-serial'] as const

/** Devices that are no disk and no interface, and that every machine has in its own way, or no machine misses. */
export const OF_DEVICES: HarmlessList = {
  emulator: { why: 'which program runs the machine is the host’s to decide', text: ANY },
  controller: [
    {
      why: 'drives are given the controllers they need',
      attributes: {
        type: DRIVE_CONTROLLERS,
        index: NUMBER,
        ports: NUMBER,
        model: ['auto', 'piix3', 'piix4', 'virtio-scsi', 'lsilogic'],
      },
      children: OF_ANY_DEVICE,
    },
    {
      why: 'the board has the bridges it needs',
      attributes: { type: ['pci'], index: NUMBER, model: ['pci-root', 'pci-bridge'] },
      children: { ...OF_ANY_DEVICE, model: { why: 'see above', attributes: { name: ['pci-bridge'] } } },
    },
    {
      why: 'nothing is plugged into USB here but what the host plugs there itself',
      attributes: { type: ['usb'], index: NUMBER, model: /^[\w-]{1,32}$/, ports: NUMBER },
      children: { ...OF_ANY_DEVICE, master: { why: 'see above', attributes: { startport: NUMBER } } },
    },
  ],
  graphics: [
    {
      why: 'a port that libvirt has chosen itself, as it writes of a running domain, is chosen again',
      needs: ['autoport'],
      attributes: { ...GRAPHICS.attributes, port: NUMBER },
      children: GRAPHICS.children,
    },
    {
      why: 'how a screen is looked at is the host’s to say; a port, an address or a password that are asked for are refused',
      attributes: { ...GRAPHICS.attributes, port: ['-1'] },
      children: GRAPHICS.children,
    },
  ],
  audio: { why: 'libvirt writes it of machines that are not heard', attributes: { id: NUMBER, type: ['none'] } },
  channel: {
    why: 'the port of the guest agent, which machines have that can have it',
    attributes: { type: ['unix'] },
    children: {
      ...OF_ANY_DEVICE,
      source: { why: 'libvirt writes it of running domains', attributes: { mode: ['bind'], path: ANY } },
      target: {
        why: 'this one alone',
        attributes: { type: ['virtio'], name: ['org.qemu.guest_agent.0'], state: ['connected', 'disconnected'] },
      },
    },
  },
  panic: {
    why: 'what becomes of a guest that panics, `on_crash` says; a host that can hear of it has what it needs',
    attributes: { model: ['isa', 'hyperv', 'pvpanic'] },
    children: OF_ANY_DEVICE,
  },
}
