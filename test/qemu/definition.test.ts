import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { DiskConfig, DiskLimits, DomainConfig } from '../../src/drivers/driver.ts'
import { cpuArguments } from '../../src/drivers/qemu/command-line/cpu.ts'
import { commandLine } from '../../src/drivers/qemu/command-line/index.ts'
import { assertDefinable, parse, serialise } from '../../src/drivers/qemu/definition.ts'
import { filesOf } from '../../src/drivers/qemu/layout.ts'
import { diskName, placeOf, slotsOf, withoutSlot, withSlot } from '../../src/drivers/qemu/slots.ts'

const path = fc.string({ unit: 'grapheme' }).map(name => `/${name.replaceAll('\0', '')}`)

const disk = fc.record(
  {
    id: fc.uuid(),
    kind: fc.constantFrom('disk', 'cdrom', 'floppy'),
    location: path,
    format: fc.constantFrom('raw', 'qcow2'),
    readOnly: fc.boolean(),
    device: fc.constantFrom('hda', 'xvdb', 'sdaa', '3'),
    bus: fc.constant('paravirtualised' as const),
    shared: fc.boolean(),
    limits: fc.constantFrom<DiskLimits>(
      { requests: { perSecond: 1 } },
      { readBytes: { perSecond: 4, burst: 5, burstSeconds: 6 }, writeRequests: { perSecond: 7 } },
      { bytes: { perSecond: 8, burst: 9 }, requestBytes: 10, group: 'slow' },
    ),
    alias: fc.constant('data'),
  },
  { requiredKeys: ['id', 'location', 'format', 'readOnly', 'device', 'bus'] },
)

const nic = fc.record(
  {
    id: fc.uuid(),
    mac: fc.constant('52:54:00:00:00:01'),
    mtu: fc.constantFrom(1500, 9000),
    model: fc.constantFrom('emulated', 'paravirtualised'),
    device: fc.constantFrom('eth0', 'eth1'),
    network: fc.option(fc.uuid()),
    linkDown: fc.boolean(),
    alias: fc.constant('uplink'),
  },
  { requiredKeys: ['id', 'mac', 'mtu', 'model', 'device', 'network'] },
)

const boot = fc.oneof(
  fc.record({ kind: fc.constant('firmware' as const), device: fc.constantFrom('floppy', 'disk', 'cdrom') }),
  fc.record({
    kind: fc.constantFrom('kernel', 'guest-kernel'),
    kernel: path,
    initrd: fc.option(path),
    cmdline: fc.string(),
  }),
  fc.record({ kind: fc.constant('guest-grub' as const), cmdline: fc.string() }),
)

const platform = fc.record(
  {
    vga: fc.constantFrom('std', 'cirrus'),
    serial: fc.constantFrom('console', 'pty', 'none'),
    localTime: fc.boolean(),
    keepClockOffset: fc.boolean(),
    audio: fc.boolean(),
    tpm: fc.boolean(),
    pciDevices: fc.array(fc.constant('0000:03:00.0'), { maxLength: 1 }),
  },
  { requiredKeys: [] },
)

const features = fc.array(fc.constantFrom('XMM3', 'CX16'))
const haltOrRestart = fc.constantFrom('halt', 'restart')

const configs: fc.Arbitrary<DomainConfig> = fc.record(
  {
    id: fc.uuid(),
    name: fc.string({ unit: 'grapheme' }),
    description: fc.string({ unit: 'binary' }),
    memoryBytes: fc.maxSafeNat(),
    memoryTargetBytes: fc.maxSafeNat(),
    vcpus: fc.integer({ min: 1, max: 255 }),
    cpu: fc.record({ required: features, canUse: features, forceOn: features, forceOff: features }),
    scheduling: fc.record({
      weight: fc.integer({ min: 1, max: 65_535 }),
      capPercent: fc.option(fc.integer({ min: 1, max: 100 })),
      affinity: fc.option(fc.array(fc.nat(63))),
    }),
    boot,
    disks: fc.array(disk, { maxLength: 5 }),
    nics: fc.array(nic, { maxLength: 3 }),
    platform,
    exits: fc.record({
      shutdown: haltOrRestart,
      reboot: haltOrRestart,
      suspend: haltOrRestart,
      crash: fc.constantFrom('halt', 'restart', 'hold'),
    }),
  },
  { requiredKeys: ['id', 'name', 'description', 'memoryBytes', 'vcpus', 'boot', 'disks'] },
)

const CONFIG: DomainConfig = {
  id: '00000000-0000-4000-8000-000000000001',
  name: 'a',
  description: '',
  memoryBytes: 1,
  vcpus: 1,
  boot: { kind: 'firmware', device: 'disk' },
  disks: [],
}

const argumentsOf = (config: DomainConfig, cpuFlags: ReadonlySet<string> = new Set()): string[] =>
  commandLine(
    { config, machine: 'pc-i440fx-7.2', slots: slotsOf(config) },
    { files: filesOf('/r', config.id), accelerator: 'tcg', isPaused: false, cpuFlags, rtcBase: 'utc' },
  )

const valueOf = (args: readonly string[], option: string): string | undefined => args[args.indexOf(option) + 1]

test('a definition that is written and read again is the same', () => {
  fc.assert(
    fc.property(configs, config => {
      // What fast-check makes has no prototype, which is no part of a definition.
      const plain = structuredClone(config)
      const slots = { balloon: 5, ...slotsOf(config) }
      assert.deepEqual(parse(serialise({ config, machine: 'pc', slots })), { config: plain, machine: 'pc', slots })
    }),
  )
})

test('a definition that is torn or changed is never read as another', () => {
  const text = serialise({ config: CONFIG, machine: 'pc', slots: {} })
  const wrong = [
    text.slice(0, -10),
    '[]',
    text.replace('"format": 1', '"format": 2'),
    text.replace('firmware', 'magic'),
    text.replace('"vcpus": 1', '"vcpus": "1"'),
    text.replace('"disks": []', '"disks": {}'),
    text.replace('"slots": {}', '"slots": { "balloon": "2" }'),
    text.replace('"disks": []', '"disks": [], "nics": 0'),
    text.replace('"disks": []', '"disks": [], "platform": { "vga": "ega" }'),
  ]

  for (const each of wrong) assert.throws(() => parse(each), /JSON|Json|Shape|no |none|known/, each)
})

test('what could not be kept or started is refused when it is defined', () => {
  const disk = { id: '', location: 'relative', format: 'raw', readOnly: false, device: 'hda', bus: 'emulated' } as const
  const wrong: Partial<DomainConfig>[] = [
    { id: '../../etc' },
    { id: CONFIG.id.replace('4', 'A') },
    { name: 'a\0b' },
    { memoryBytes: Number.NaN },
    { memoryBytes: -1 },
    { vcpus: 0 },
    { vcpus: 1.5 },
    { boot: { kind: 'kernel', kernel: 'vmlinuz', initrd: null, cmdline: '' } },
    { disks: [disk] },
  ]

  assertDefinable(CONFIG)
  for (const changes of wrong) {
    assert.throws(() => assertDefinable({ ...CONFIG, ...changes }), { name: 'DriverError', kind: 'refused' })
  }
})

test('memory is rounded up, and is never left to a default of QEMU', () => {
  const MIB = 1_048_576
  const memory = (memoryBytes: number) => valueOf(argumentsOf({ ...CONFIG, memoryBytes }), '-m')

  assert.deepEqual([0, 1, MIB, MIB + 1].map(memory), ['1M', '1M', '1M', '2M'])
})

test('disks are in the order of their devices, shorter names first', () => {
  const devices = ['sdaa', 'sdb', 'sdz', 'sda']
  const disks = devices.map(device => virtio(device))

  const args = argumentsOf({ ...CONFIG, disks })
  const images = args.filter((_argument, index) => args[index - 1] === '-blockdev')
  assert.deepEqual(
    images.map(node => JSON.parse(node).file.filename),
    ['/sda', '/sdb', '/sdz', '/sdaa'],
  )
})

const virtio = (device: string): DiskConfig => ({
  id: device,
  location: `/${device}`,
  format: 'raw',
  readOnly: false,
  device,
  bus: 'paravirtualised',
})

test('a device keeps its place while others come and go', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(virtio)
  assert(a !== undefined && b !== undefined && c !== undefined)
  const first = slotsOf({ ...CONFIG, disks: [a, b] })
  const second = slotsOf({ ...CONFIG, disks: [b, c] }, first)

  assert.equal(second[diskName('b')], first[diskName('b')])
  assert.equal(second[diskName('c')], first[diskName('a')])
  assert.equal(second['balloon'], first['balloon'])
  assert.equal(slotsOf({ ...CONFIG, disks: [b] }, first, { keepAll: true })[diskName('a')], first[diskName('a')])
})

test('a definition from before there were places gets those that QEMU gave', () => {
  const { slots: _slots, ...old } = JSON.parse(
    serialise({ config: { ...CONFIG, disks: ['xvdb', 'xvda'].map(virtio) }, machine: 'pc', slots: {} }),
  )

  const { slots } = parse(JSON.stringify(old))
  assert.deepEqual([slots[diskName('xvda')], slots[diskName('xvdb')]], [2, 3])
})

test('the bus has thirty places, each given once', () => {
  const names = Array.from({ length: 30 }, (_none, index) => `device-${index}`)
  const full = names.reduce(withSlot, {})

  assert.deepEqual(
    Object.values(full),
    Array.from({ length: 30 }, (_none, index) => index + 2),
  )
  assert.throws(() => withSlot(full, 'one-more'), { name: 'DriverError', kind: 'refused' })
  assert.deepEqual(placeOf(withSlot(withoutSlot(full, 'device-29'), 'other'), 'other'), { bus: 'pci.0', addr: '1f' })
})

test('names of devices are such as QEMU takes, whatever the id', () => {
  for (const id of ['', '/a path/with, commas', crypto.randomUUID(), 'ü'.repeat(200)]) {
    assert.match(diskName(id), /^[a-z][-0-9a-z]{0,30}$/)
  }
})

test('a CPU of which all that can be is wanted is another than one of which nothing is said', () => {
  const cpu = { required: [], canUse: [], forceOn: [], forceOff: [] }

  assert.equal(valueOf(argumentsOf({ ...CONFIG, cpu }), '-cpu'), 'max')
  assert(!argumentsOf(CONFIG).includes('-cpu'))
})

test('with KVM a guest finds what Hyper-V has for its guests where that is wanted, and without it does not start', () => {
  const config = { ...CONFIG, platform: { enlightened: true } }
  const plain = cpuArguments(CONFIG, 'kvm', new Set())
  const enlightened = cpuArguments(config, 'kvm', new Set())

  assert.equal(valueOf(plain, '-cpu'), 'host')
  assert.equal(valueOf(enlightened, '-cpu'), 'host,hv-time=on,hv-relaxed=on,hv-vapic=on,hv-spinlocks=0x1fff')
  assert.throws(() => cpuArguments(config, 'tcg', new Set()), { kind: 'refused', message: /KVM/ })
})

test('a machine that boots from the network has the ROM for that on its first interface, which comes before all disks', () => {
  const nics = ['eth1', 'eth0'].map(device => ({
    id: device,
    mac: '52:54:00:12:34:56',
    mtu: 1_500,
    model: 'emulated' as const,
    device,
    network: null,
  }))
  const disks = [
    { id: 'a', location: '/a', format: 'raw', readOnly: false, device: 'vda', bus: 'paravirtualised' } as const,
  ]
  const cards = (device: 'network' | 'disk') =>
    argumentsOf({ ...CONFIG, nics, disks, boot: { kind: 'firmware', device } })
      .filter(each => /"driver":"(e1000|virtio-blk-pci)"/.test(each))
      .map(each => [/"mac"/.test(each), /"romfile":""/.test(each), /"bootindex":(\d)/.exec(each)?.[1]])

  assert.deepEqual(cards('network'), [
    [false, false, '1'],
    [true, true, undefined],
    [true, false, '0'],
  ])
  assert.deepEqual(cards('disk'), [
    [false, false, '1'],
    [true, true, undefined],
    [true, true, undefined],
  ])
})
