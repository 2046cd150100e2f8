import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DiskConfig, DomainConfig, NicConfig } from '../../../src/drivers/driver.ts'
import { VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_XML_ERROR } from '../../../src/libvirt/error-numbers.ts'
import { writeDomain } from '../../../src/libvirt/xml/domain-writer.ts'
import { type HostKind, hostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { domain, HYPERV, KVM, type Parts, read, TEST, throwsWith } from './domains.ts'

/** What parts of a description mean. */
const MEANINGS: readonly (readonly [Parts, Partial<DomainConfig>, HostKind?])[] = [
  [{ head: '<description>two\nlines</description>' }, { description: 'two\nlines' }],
  [{ head: '<currentMemory>512</currentMemory>' }, { memoryTargetBytes: 512 * 1024 }],
  [
    { rest: "<vcpu placement='static' current='4' cpuset='0-3,^2'>4</vcpu>" },
    { vcpus: 4, scheduling: { weight: 256, capPercent: null, affinity: [0, 1, 3] } },
  ],
  [
    { rest: '<cputune><shares>512</shares><period>50000</period><quota>25000</quota></cputune>' },
    { scheduling: { weight: 512, capPercent: 50, affinity: null } },
  ],
  [{ rest: '<cputune><quota>-1</quota></cputune>' }, { vcpus: 1 }],
  [{ os: "<boot dev='cdrom'/><boot dev='hd'/>" }, { boot: { kind: 'firmware', device: 'cdrom' } }],
  [{ os: "<boot dev='fd'/>" }, { boot: { kind: 'firmware', device: 'floppy' } }],
  [
    { os: '<kernel>/k</kernel><initrd>/i</initrd><cmdline>a  b</cmdline>' },
    { boot: { kind: 'kernel', kernel: '/k', initrd: '/i', cmdline: 'a  b' } },
  ],
  [{ os: '<kernel>/k</kernel>' }, { boot: { kind: 'kernel', kernel: '/k', initrd: null, cmdline: '' } }],
  [{ rest: "<clock offset='localtime'/>" }, { platform: { localTime: true } }],
  [
    { rest: "<clock offset='variable' adjustment='0' basis='localtime'/>" },
    { platform: { localTime: true, keepClockOffset: true } },
  ],
  [
    { rest: '<on_poweroff>restart</on_poweroff><on_crash>preserve</on_crash>' },
    { exits: { shutdown: 'restart', reboot: 'restart', suspend: 'halt', crash: 'hold' } },
  ],
  [
    { rest: '<on_reboot>destroy</on_reboot>' },
    { exits: { shutdown: 'halt', reboot: 'halt', suspend: 'halt', crash: 'halt' } },
  ],
  [
    {
      rest: "<cpu mode='host-passthrough' check='none' migratable='on'><feature name='sse2'/><feature policy='disable' name='pni'/></cpu>",
    },
    { cpu: { required: ['XMM2'], canUse: [], forceOn: [], forceOff: ['XMM3'] } },
  ],
  [
    { rest: "<cpu mode='custom' match='exact'><feature policy='optional' name='lm'/></cpu>" },
    { cpu: { required: [], canUse: ['LM'], forceOn: [], forceOff: [] } },
  ],
  [
    { devices: "<serial type='pty'><target port='0'/></serial><console type='pty'/>" },
    { platform: { serial: 'console' } },
  ],
  [{ devices: "<serial type='null'/>" }, { platform: { serial: 'none' } }],
  [
    { devices: "<video><model type='cirrus' vram='16384' heads='1' primary='yes'/></video>" },
    { platform: { vga: 'cirrus' } },
  ],
  [{ devices: "<video><model type='vga'/></video>" }, { platform: { vga: 'std' } }],
  [{ devices: "<sound model='ich6'/>" }, { platform: { audio: true } }],
  [{ devices: "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>" }, { platform: { tpm: true } }],
  [
    {
      devices:
        "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x3' slot='0x00' function='0x1'/></source></hostdev>",
    },
    { platform: { pciDevices: ['0000:03:00.1'] } },
  ],
]

test('parts of a description become the words of the driver contract', () => {
  for (const [parts, meaning] of MEANINGS) {
    const { vcpus, memoryTargetBytes, ...plain } = read(domain({}))
    const expected = { ...plain, vcpus, ...meaning }
    assert.equal(memoryTargetBytes, undefined)

    assert.deepEqual(read(domain(parts)), expected, JSON.stringify(parts))
  }
})

const SOURCE = "<source file='C:\\x.vhdx'/>"

/** What a disk means, on Hyper-V unless another kind of host is named. */
const DISKS: readonly (readonly [string, Partial<DiskConfig>, HostKind?])[] = [
  [`<disk>${SOURCE}<target dev='hda'/></disk>`, { bus: 'emulated', format: 'vhdx', location: 'C:\\x.vhdx' }],
  [`<disk type='file' device='disk'>${SOURCE}<target dev='sda'/></disk>`, { bus: 'paravirtualised' }],
  [`<disk type='file'>${SOURCE}<target dev='sda' bus='sata'/></disk>`, { bus: 'emulated' }],
  [`<disk type='file'>${SOURCE}<target dev='vda'/></disk>`, { bus: 'paravirtualised' }],
  [`<disk type='file'><driver name='qemu' type='vpc'/>${SOURCE}<target dev='hda'/></disk>`, { format: 'vhd' }],
  [`<disk type='file'>${SOURCE}<target dev='hda'/><readonly/><shareable/></disk>`, { readOnly: true, shared: true }],
  [
    `<disk type='file' device='cdrom'><target dev='hdc'/></disk>`,
    { kind: 'cdrom', location: '', readOnly: true, format: 'raw' },
  ],
  [
    `<disk type='file' device='floppy'><source file='C:\\a.vfd'/><target dev='fda'/></disk>`,
    { kind: 'floppy', bus: 'emulated', format: 'raw' },
  ],
  [
    `<disk type='block' device='disk'><source dev='\\\\.\\PHYSICALDRIVE1'/><target dev='sdb'/></disk>`,
    { location: String.raw`\\.\PHYSICALDRIVE1`, format: 'raw' },
  ],
  [
    `<disk type='file'><source file='\\\\\\\\nas\\\\vms\\\\a.vhd'/><target dev='hda'/></disk>`,
    { location: String.raw`\\nas\vms\a.vhd` },
  ],
  [`<disk type='file'><source file='/x.qcow2'/><target dev='vda'/></disk>`, { format: 'qcow2' }, TEST],
  [`<disk type='file'><source file='/x.qcow2'/><target dev='vda'/></disk>`, { format: 'raw' }, KVM],
  [`<disk type='file'><source file='/a\\\\b'/><target dev='vda'/></disk>`, { location: String.raw`/a\\b` }, KVM],
]

test('a disk becomes a disk of the driver contract', () => {
  for (const [devices, meaning, kind = HYPERV] of DISKS) {
    const [disk] = read(domain({ devices, type: kind.types[0] }), kind).disks

    assert.deepEqual({ ...disk, ...meaning }, disk, devices)
  }
})

const PLUG = "<source network='Internal'/>"

const NICS: readonly (readonly [string, Partial<NicConfig>])[] = [
  [
    `<interface type='network'><mac address='52-54-0-AB-cd-1'/>${PLUG}</interface>`,
    { mac: '52:54:00:ab:cd:01', model: 'paravirtualised' },
  ],
  [
    `<interface type='network'>${PLUG}<model type='e1000'/><mtu size='9000'/></interface>`,
    { model: 'emulated', mtu: 9000 },
  ],
  [
    `<interface type='network'>${PLUG}<model type='netvsc'/><target dev='lan0'/></interface>`,
    { model: 'paravirtualised', device: 'lan0' },
  ],
  [`<interface type='network'>${PLUG}<target dev='vnet4'/><link state='up'/></interface>`, { device: 'eth0' }],
  [`<interface type='bridge'><source bridge='br0'/></interface>`, { network: '0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0004' }],
  [
    `<interface type='network'><source network='0B6B5D41-9f3f-4a6a-9a39-2f5a8b1c0003'/></interface>`,
    { network: '0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0003' },
  ],
  [`<interface type='null'><link state='down'/></interface>`, { network: null }],
  [`<interface type='none'/>`, { network: null }],
]

test('an interface becomes an interface of the driver contract', () => {
  for (const [devices, meaning] of NICS) {
    const [nic] = read(domain({ devices })).nics ?? []

    assert.deepEqual({ ...nic, ...meaning }, nic, devices)
  }
})

test('a device that is first in the order decides what is booted from', () => {
  const cdrom = `<disk type='file' device='cdrom'><target dev='hdc'/><boot order='1'/></disk>`
  const disk = `<disk type='file'><source file='C:\\x.vhd'/><target dev='hda'/><boot order='2'/></disk>`

  assert.deepEqual(read(domain({ devices: disk + cdrom })).boot, { kind: 'firmware', device: 'cdrom' })
  assert.deepEqual(read(domain({ devices: disk })).boot, { kind: 'firmware', device: 'disk' })
})

test('more memory at first than there is at most is as much as there is', () => {
  assert.equal(read(domain({ head: "<currentMemory unit='GiB'>1</currentMemory>" })).memoryTargetBytes, undefined)
})

test('a guest is told of the CPU that it gets: the host’s with KVM, and without it a plain one unless all is asked for', () => {
  const [kvm, tcg] = [hostKind('qemu', 'kvm'), hostKind('qemu', 'tcg')]
  const machine = (rest: string) => domain({ type: 'qemu', rest })
  const told = (config: DomainConfig, kind: HostKind) =>
    /<cpu.*>/.exec(writeDomain(config, { kind, networks: [] }))?.[0]
  const plain = read(machine(''), tcg)
  const whole = read(machine("<cpu mode='maximum'/>"), tcg)

  assert.deepEqual([plain.cpu, told(plain, tcg)], [undefined, undefined])
  assert.equal(told(plain, kvm), "<cpu mode='host-passthrough' check='none' migratable='on'/>")
  assert.deepEqual(whole.cpu, { required: [], canUse: [], forceOn: [], forceOff: [] })
  assert.equal(told(whole, tcg), "<cpu mode='maximum'/>")
  assert.equal(read(machine("<cpu mode='maximum'/>"), kvm).cpu, undefined)
  for (const mode of ['host-passthrough', 'host-model']) {
    assert.equal(read(machine(`<cpu mode='${mode}'/>`), kvm).cpu, undefined)
    throwsWith(
      () => read(machine(`<cpu mode='${mode}'/>`), tcg),
      VIR_ERR_CONFIG_UNSUPPORTED,
      `domain/cpu/@mode = '${mode}'`,
    )
  }
})

/** As virt-install 4.1 asks for it where the guest is Windows. */
const ENLIGHTENED = `<features><acpi/><hyperv><relaxed state='on'/><vapic state='on'/><spinlocks state='on' retries='8191'/></hyperv></features>
  <clock offset='localtime'><timer name='hypervclock' present='yes'/></clock>`

test('what Hyper-V has for its guests is had as a whole where KVM can show it, and else as it is anyway', () => {
  const kvm = hostKind('qemu', 'kvm')
  const on = read(domain({ type: 'kvm', rest: ENLIGHTENED }), kvm)
  const text = writeDomain(on, { kind: kvm, networks: [] })

  assert.deepEqual(on.platform, { localTime: true, enlightened: true })
  assert.deepEqual(read(text, kvm), on)
  const off = ENLIGHTENED.replaceAll("state='on'", "state='off'").replace(/<timer.*>/, '</clock>')
  assert.deepEqual(read(domain({ type: 'kvm', rest: off }), kvm).platform, { localTime: true })
  for (const [rest, name] of [
    [ENLIGHTENED.replace("vapic state='on'", "vapic state='off'"), 'domain/features/hyperv: relaxed'],
    [ENLIGHTENED.replace('8191', '4096'), "domain/features/hyperv/spinlocks/@retries = '4096'"],
    [ENLIGHTENED.replace('<vapic', "<synic state='on'/><vapic"), 'domain/features/hyperv/synic'],
    [ENLIGHTENED.replace(/<hyperv>.*<.hyperv>/, ''), "domain/clock/timer/@name = 'hypervclock'"],
  ] as const) {
    throwsWith(() => read(domain({ type: 'kvm', rest }), kvm), VIR_ERR_CONFIG_UNSUPPORTED, name)
  }
  for (const [kind, type] of [
    [HYPERV, 'hyperv'],
    [hostKind('qemu', 'tcg'), 'qemu'],
  ] as const) {
    assert.deepEqual(read(domain({ type, rest: ENLIGHTENED }), kind).platform, { localTime: true })
    assert.doesNotMatch(writeDomain(on, { kind, networks: [] }), /hyperv(clock| mode=)/)
  }
})

test('how often a guest tells of its memory is what its balloon says, where a host is told by guests', () => {
  const devices = (stats: string, model = 'virtio') => `<memballoon model='${model}'>${stats}</memballoon>`
  const told = read(domain({ type: 'kvm', devices: devices("<stats period='10'/>") }), KVM)

  assert.deepEqual(told.platform, { memoryStatsSeconds: 10 })
  const written = writeDomain(told, { kind: KVM, networks: [] })
  assert.match(written, /<memballoon model=.virtio.>\s+<stats period=.10.\/>/)
  assert.deepEqual(read(written, KVM).platform?.memoryStatsSeconds, 10)
  for (const none of [devices(''), devices("<stats period='0'/>"), devices("<stats period='5'/>", 'none')]) {
    assert.equal(read(domain({ type: 'kvm', devices: none }), KVM).platform, undefined)
  }
  assert.equal(read(domain({ devices: devices("<stats period='10'/>") }), HYPERV).platform, undefined)
  assert.doesNotMatch(writeDomain(told, { kind: HYPERV, networks: [] }), /<memballoon/)
  for (const period of ['-1', 'x', '2147483648']) {
    const wrong = domain({ type: 'kvm', devices: devices(`<stats period='${period}'/>`) })
    throwsWith(() => read(wrong, KVM), VIR_ERR_XML_ERROR, 'memballoon/stats/@period')
  }
})

test('a tablet is one where a host has it, and else a pointing device as every machine has', () => {
  const devices = "<input type='tablet' bus='usb'/><input type='mouse' bus='ps2'/><input type='keyboard' bus='ps2'/>"
  const tablet = read(domain({ type: 'kvm', devices }), KVM)

  assert.deepEqual(tablet.platform, { tablet: true })
  assert.match(
    writeDomain(tablet, { kind: KVM, networks: [] }),
    /<input type=.tablet. bus=.usb.\/>\s+<input type=.mouse./,
  )
  assert.equal(read(domain({ type: 'kvm', devices: devices.replace('tablet', 'mouse') }), KVM).platform, undefined)
  assert.equal(read(domain({ devices }), HYPERV).platform, undefined)
  assert.doesNotMatch(writeDomain(tablet, { kind: HYPERV, networks: [] }), /<input/)
  const two = devices.repeat(2)
  throwsWith(
    () => read(domain({ type: 'kvm', devices: two }), KVM),
    VIR_ERR_CONFIG_UNSUPPORTED,
    'domain/devices/input[4]',
  )
})

test('a machine has the host’s random numbers where its host gives them', () => {
  const devices = "<rng model='virtio'><backend model='random'>/dev/urandom</backend><alias name='rng0'/></rng>"
  const fed = read(domain({ type: 'kvm', devices }), KVM)

  assert.deepEqual(fed.platform, { rng: true })
  assert.match(
    writeDomain(fed, { kind: KVM, networks: [] }),
    /<rng model=.virtio.>\s+<backend model=.random.>.dev.urandom</,
  )
  assert.equal(read(domain({ devices }), HYPERV).platform, undefined)
  assert.doesNotMatch(writeDomain(fed, { kind: HYPERV, networks: [] }), /<rng/)
})

test('a machine boots from the network, where that is said of it or of its first interface', () => {
  const nic = (order: string) => `<interface type='network'><source network='Internal'/>${order}</interface>`
  const disk = "<disk device='cdrom'><target dev='hda'/><boot order='2'/></disk>"
  const network = { kind: 'firmware', device: 'network' }

  assert.deepEqual(read(domain({ os: "<boot dev='network'/><boot dev='hd'/>" })).boot, network)
  assert.deepEqual(read(domain({ devices: nic("<boot order='1'/>") + nic('') + disk })).boot, network)
  assert.match(
    writeDomain(read(domain({ os: "<boot dev='network'/>" })), { kind: HYPERV, networks: [] }),
    /<boot dev=.network./,
  )
  assert.deepEqual(read(domain({ devices: nic("<boot order='3'/>") + disk })).boot, { ...network, device: 'cdrom' })
  const second = domain({ devices: nic('') + nic("<boot order='1'/>") })
  throwsWith(
    () => read(second),
    VIR_ERR_CONFIG_UNSUPPORTED,
    'domain/devices/interface[2]/boot/@order',
    'eth0 is tried first',
  )
})
