import type { PlatformConfig } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { OF_ANY_DEVICE } from './accepted.ts'
import type { Extension } from './extension.ts'
import type { HostKind } from './host-kind.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

/** What of the board is a device to libvirt. */
type Hardware = Pick<
  PlatformConfig,
  'vga' | 'serial' | 'audio' | 'rng' | 'tablet' | 'memoryStatsSeconds' | 'tpm' | 'pciDevices'
>

const SOUND_MODELS = ['ac97', 'ich6', 'ich7', 'ich9', 'es1370', 'sb16', 'default'] as const
const TPM_MODELS = ['tpm-tis', 'tpm-crb', 'default'] as const
const VGA = { vga: 'std', std: 'std', default: 'std', cirrus: 'cirrus' } as const

/** Reads the devices that are neither disks nor interfaces, and neither accepted as they are (see accepted.ts). */
export function readHardware(devices: Reading, extension: Extension, kind: HostKind): Hardware {
  const serial = readSerial(devices, extension)
  const vga = readVideo(devices, kind)
  const memoryStatsSeconds = readBalloon(devices, kind)
  const pciDevices = devices.children('hostdev').map(readHostDevice)
  return {
    ...(vga !== undefined && { vga }),
    ...(serial !== undefined && { serial }),
    ...(readSound(devices) && { audio: true }),
    ...(readRng(devices, kind) && { rng: true }),
    ...(readTablet(devices, kind) && { tablet: true }),
    ...(memoryStatsSeconds !== undefined && { memoryStatsSeconds }),
    ...(readTpm(devices) && { tpm: true }),
    ...(pciDevices.length > 0 && { pciDevices }),
  }
}

/** One serial port; a `<console>` is its other name. One of type `null` leads nowhere. */
function readSerial(devices: Reading, { serial: noted }: Extension): PlatformConfig['serial'] {
  const ports = ['serial', 'console'].flatMap(name => {
    const [port, second] = devices.children(name)
    if (second !== undefined) second.refuse('', undefined, 'a machine has one serial port here')
    return port === undefined ? [] : [readPort(port)]
  })
  if (ports.length === 0) return undefined
  return ports.every(type => type === 'null') ? 'none' : (noted ?? 'console')
}

function readPort(port: Reading): 'pty' | 'null' {
  const type = port.word('type', ['pty', 'null']) ?? 'pty'
  port.attribute('tty') // libvirt writes where the other end of a running domain's is.
  port.acceptHarmless({
    ...OF_ANY_DEVICE,
    source: { why: 'the same as tty', attributes: { path: /^\/dev\/(pts\/\d+|tty\w+)$/ } },
  })
  const target = port.child('target')
  target?.word('port', ['0'])
  target?.word('type', ['isa-serial', 'serial'])
  target?.child('model')?.word('name', ['isa-serial'])
  return type
}

/** Where a screen is to be looked at, there is one. Source: libvirt, virDomainDefAddImplicitVideo. */
function readVideo(devices: Reading, { hasVnc }: HostKind): PlatformConfig['vga'] {
  const [video, second] = devices.children('video')
  if (video === undefined && hasVnc && devices.holds('graphics')) return 'std'
  if (second !== undefined) second.refuse('', undefined, 'a machine has one screen here')
  video?.acceptHarmless(OF_ANY_DEVICE)
  const model = video?.child('model')
  if (video === undefined || model === undefined) return video && 'std'
  const type = model.attribute('type') ?? 'default'
  for (const name of ['vram', 'vram64', 'vgamem', 'ram']) model.attribute(name) // The card has what it has.
  model.word('heads', ['1'])
  model.word('primary', ['yes'])
  if (type === 'none') return undefined
  const vga = Object.entries(VGA).find(([name]) => name === type)?.[1]
  return vga ?? model.refuse('/@type', type)
}

function readSound(devices: Reading): boolean {
  const [sound, second] = devices.children('sound')
  if (second !== undefined) second.refuse('', undefined, 'a machine has one sound card here')
  sound?.acceptHarmless(OF_ANY_DEVICE)
  sound?.word('model', SOUND_MODELS)
  return sound !== undefined
}

/** A guest without it gathers its own entropy; virt-install adds it where the guest knows it. */
function readRng(devices: Reading, { hasRng }: HostKind): boolean {
  const [rng, second] = devices.children('rng')
  if (second !== undefined) second.refuse('', undefined, 'a machine has one source of random numbers here')
  rng?.word('model', ['virtio'])
  rng?.acceptHarmless(OF_ANY_DEVICE)
  const backend = rng?.child('backend')
  backend?.word('model', ['random'])
  const source = backend?.text() ?? ''
  if (!/^(\/dev\/u?random)?$/.test(source)) backend?.refuse('', source)
  return rng !== undefined && hasRng
}

/** The longest period that there is. */
const PERIOD_MAX = 2 ** 31 - 1

/**
 * A host that changes the memory of running domains gives them what it needs for that; how often their guests tell of
 * their memory through it is said here. 0 is not at all. Source: libvirt, src/conf/domain_conf.c, virDomainMemballoonDefParseXML.
 */
function readBalloon(devices: Reading, { hasMemoryStats }: HostKind): number | undefined {
  const [balloon, second] = devices.children('memballoon')
  if (second !== undefined) second.refuse('', undefined, 'a machine has one balloon here')
  const model = balloon?.word('model', ['virtio', 'none'])
  for (const name of ['autodeflate', 'freePageReporting']) balloon?.word(name, ['off'])
  balloon?.acceptHarmless(OF_ANY_DEVICE)
  const stats = balloon?.child('stats')
  const period = stats?.attribute('period') ?? '0'
  const isPeriod = /^\d{1,10}$/.test(period) && Number(period) <= PERIOD_MAX
  if (!isPeriod) stats?.invalid('/@period', period)
  return !hasMemoryStats || model === 'none' || Number(period) === 0 ? undefined : Number(period)
}

/** Every machine has a keyboard and a pointing device of its own kind. A tablet on USB is one more where a host has it. */
function readTablet(devices: Reading, { hasTablet }: HostKind): boolean {
  const tablets = devices.children('input').filter(input => {
    const type = input.word('type', ['mouse', 'keyboard', 'tablet'])
    const bus = input.word('bus', ['ps2', 'usb', 'virtio', 'xen'])
    input.word('model', ['virtio'])
    input.acceptHarmless(OF_ANY_DEVICE)
    return type === 'tablet' && (bus ?? 'usb') === 'usb' && hasTablet
  })
  const [, second] = tablets
  if (second !== undefined) second.refuse('', undefined, 'a machine has one tablet here')
  return tablets.length > 0
}

function readTpm(devices: Reading): boolean {
  const tpm = devices.child('tpm')
  if (tpm === undefined) return false
  tpm.acceptHarmless(OF_ANY_DEVICE)
  tpm.word('model', TPM_MODELS)
  const backend = tpm.child('backend')
  backend?.word('type', ['emulator'])
  backend?.word('version', ['2.0', 'default'])
  backend?.word('persistent_state', ['yes', 'no'])
  return true
}

/** A device of the host that the guest gets, by its address on the host's PCI bus. */
function readHostDevice(device: Reading): string {
  device.word('mode', ['subsystem'])
  const type = device.attribute('type') ?? ''
  if (type !== 'pci') return device.refuse('/@type', type)
  device.word('managed', ['yes', 'no'])
  device.child('driver')?.word('name', ['vfio'])
  const source = device.child('source')
  const address = source?.child('address')
  device.acceptHarmless(OF_ANY_DEVICE)
  if (address === undefined) return device.refuse('/source', undefined, 'it names no device of the host')
  address.word('type', ['pci'])
  const [domain, bus, slot, part] = (['domain', 'bus', 'slot', 'function'] as const).map(name => {
    const value = address.attribute(name) ?? '0'
    return /^(0x)?[0-9a-fA-F]{1,4}$/.test(value)
      ? value.replace(/^0x/, '').toLowerCase()
      : address.invalid(`/@${name}`, value)
  })
  const octet = (text = '0') => text.padStart(2, '0')
  return `${(domain ?? '0').padStart(4, '0')}:${octet(bus)}:${octet(slot)}.${part ?? '0'}`
}

/** What is only true of them while the machine runs; as `LiveDescription`. */
interface LiveHardware {
  readonly screenPort?: number
  readonly hasAgent?: boolean
}

/** Those devices of a machine. */
export function writeHardware(hardware: Hardware, kind: HostKind, live: LiveHardware = {}): XmlOutput[] {
  const {
    vga,
    serial,
    audio,
    rng = false,
    tablet = false,
    memoryStatsSeconds: seconds,
    tpm,
    pciDevices = [],
  } = hardware
  const hasBalloon = kind.hasStandingDevices || (kind.hasMemoryStats && seconds !== undefined)
  const target = () => element('target', { port: 0 })
  const type = serial === 'none' ? 'null' : 'pty'
  const ports = [
    element('serial', { type }, target()),
    element('console', { type }, element('target', { type: 'serial', port: 0 })),
  ]
  const emulated = element('backend', { type: 'emulator', version: '2.0' })
  return [
    ...(serial === undefined ? [] : ports),
    ...(kind.hasStandingDevices ? [channel(live.hasAgent)] : []),
    ...(tablet && kind.hasTablet ? [element('input', { type: 'tablet', bus: 'usb' })] : []),
    ...(kind.hasStandingDevices ? INPUTS : []),
    ...(tpm === true ? [element('tpm', { model: kind.tpmModel }, emulated)] : []),
    ...(vga === undefined ? [] : screen(vga, kind, live.screenPort)),
    ...(audio === true ? [element('sound', { model: 'ac97' })] : []),
    ...pciDevices.map(writeHostDevice),
    ...(hasBalloon ? [writeBalloon(seconds)] : []),
    ...(rng && kind.hasRng ? [RNG] : []),
    ...(kind.hasStandingDevices ? [PANIC] : []),
  ]
}

// What every machine of QEMU has here, in libvirt's order around what a definition says.

function channel(isOpen: boolean | undefined): XmlOutput {
  const state = isOpen === undefined ? undefined : isOpen ? 'connected' : 'disconnected'
  return element(
    'channel',
    { type: 'unix' },
    element('target', { type: 'virtio', name: 'org.qemu.guest_agent.0', state }),
  )
}
const INPUTS: readonly XmlOutput[] = [
  element('input', { type: 'mouse', bus: 'ps2' }),
  element('input', { type: 'keyboard', bus: 'ps2' }),
]
const PANIC = element('panic', { model: 'isa' })
const RNG = element('rng', { model: 'virtio' }, element('backend', { model: 'random' }, '/dev/urandom'))

const writeBalloon = (seconds: number | undefined): XmlOutput =>
  element('memballoon', { model: 'virtio' }, ...(seconds === undefined ? [] : [element('stats', { period: seconds })]))

/** A screen that is looked at through this API, or on a port of the machine that the server runs on. */
function screen(vga: NonNullable<Hardware['vga']>, { hasVnc }: HostKind, port?: number): readonly XmlOutput[] {
  const model = element('model', { type: vga === 'std' ? 'vga' : vga, heads: 1, primary: 'yes' })
  return [...(hasVnc ? [graphics(port)] : []), element('video', {}, model)]
}

/** A loopback address that is written as a number would keep viewers from it that reach the server over TCP. */
function graphics(port: number | undefined): XmlOutput {
  if (port === undefined) return element('graphics', { type: 'vnc' }, element('listen', { type: 'none' }))
  const listen = element('listen', { type: 'address', address: 'localhost' })
  return element('graphics', { type: 'vnc', port, autoport: 'yes', listen: 'localhost' }, listen)
}

function writeHostDevice(address: string): XmlOutput {
  const [, domain = '0', bus = '0', slot = '0', part = '0'] = /^(\w+):(\w+):(\w+)\.(\w+)$/.exec(address) ?? []
  const at = { domain: `0x${domain}`, bus: `0x${bus}`, slot: `0x${slot}`, function: `0x${part}` }
  const source = element('source', {}, element('address', at))
  return element('hostdev', { mode: 'subsystem', type: 'pci', managed: 'yes' }, source)
}
