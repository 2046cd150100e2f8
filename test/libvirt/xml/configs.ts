import * as fc from 'fast-check'
import type { DiskConfig, DiskLimits, DomainConfig, NetworkConfig, NicConfig } from '../../../src/drivers/driver.ts'

/** Networks of a host, two of one name among them, and one whose name is another's UUID. */
export const NETWORKS: readonly NetworkConfig[] = [
  network('0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0001', 'Internal', ''),
  network('0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0002', 'Extérieur & <Co>', 'Ethernet 2'),
  network('0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0003', 'Twin', ''),
  network('0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0004', 'Twin', 'br0'),
  network('0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0005', '0b6b5d41-9f3f-4a6a-9a39-2f5a8b1c0001', ''),
]

function network(id: string, name: string, nic: string): NetworkConfig {
  return { id, name, nic, vlan: null, gateway: '', netmask: '' }
}

const uuid = fc.uuid().map(id => id.toLowerCase())
/** Texts that XML can carry, awkward ones among them; a carriage return alone is written as what it is. */
const text = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map(each => each.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/gu, ''))
const line = text.map(each => `${each.replace(/[\n\r]/g, '')}x`)
const mac = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 5, maxLength: 5 })
  .map(tail => ['52', ...tail.map(octet => octet.toString(16).padStart(2, '0'))].join(':'))
const folder = fc.constantFrom('/srv/', 'D:\\VMs\\', '\\\\nas\\share\\', '/dev/')
const file = fc.stringMatching(/^[a-z <&'"]{1,8}$/)
const location = fc
  .tuple(folder, file, fc.constantFrom('', '.vhd', '.VHDX', '.iso', '.qcow2', '.avhdx'))
  .map(parts => parts.join(''))

const rate = fc
  .record({
    perSecond: fc.integer({ min: 1, max: 1_000_000 }),
    more: fc.option(fc.nat(9)),
    burstSeconds: fc.option(fc.integer({ min: 1, max: 9 })),
  })
  .map(({ perSecond, more, burstSeconds }) => ({
    perSecond,
    ...(more !== null && { burst: perSecond + more, ...(burstSeconds !== null && { burstSeconds }) }),
  }))
const limits: fc.Arbitrary<DiskLimits> = fc.oneof(
  fc.record({ bytes: rate, readRequests: rate, requestBytes: fc.constant(8192) }, { requiredKeys: ['readRequests'] }),
  fc.record({ readBytes: rate, writeBytes: rate, requests: rate, group: line }, { requiredKeys: ['requests'] }),
  fc.record({ writeRequests: rate }),
)

function diskArbitrary(device: string): fc.Arbitrary<DiskConfig> {
  return fc
    .record({
      id: uuid,
      kind: device === 'fda' ? fc.constant('floppy') : fc.constantFrom('disk', 'cdrom'),
      location,
      isEmpty: fc.boolean(),
      format: fc.constantFrom('raw', 'qcow2', 'vhd', 'vhdx'),
      readOnly: fc.boolean(),
      bus: fc.constantFrom('emulated', 'paravirtualised'),
      shared: fc.boolean(),
      limits: fc.option(limits),
    })
    .map(({ kind, isEmpty, shared, readOnly, location: at, bus, format, limits: limit, ...rest }) => ({
      ...rest,
      ...(limit !== null && { limits: limit }),
      // On Hyper-V there is no raw image in a file that says it is another.
      format: format === 'raw' && /\.(a?vhdx?|qcow2)$/i.test(at) ? 'qcow2' : format,
      ...(kind !== 'disk' && { kind }),
      location: isEmpty && kind !== 'disk' ? '' : at,
      readOnly: readOnly || kind === 'cdrom',
      device,
      bus: kind === 'floppy' ? 'emulated' : bus,
      ...(shared && { shared }),
    }))
}

/** Disks of one group have the same limits. */
const disks = fc
  .uniqueArray(fc.constantFrom('hda', 'hdd', 'sda', 'sdaa', 'vdb', 'xvda', 'fda'), { maxLength: 4 })
  .chain(devices => fc.tuple(...devices.map(diskArbitrary)))
  .filter(
    all =>
      new Set(all.flatMap(({ limits: { group } = {} }) => group ?? [])).size ===
      all.filter(({ limits: { group } = {} }) => group !== undefined).length,
  )

const nics: fc.Arbitrary<NicConfig[]> = fc
  .uniqueArray(uuid, { maxLength: 3 })
  .chain(ids => fc.tuple(...ids.map((id, index) => nicArbitrary(id, `eth${index}`))))

function nicArbitrary(id: string, device: string): fc.Arbitrary<NicConfig> {
  const port = fc.record({
    id: fc.constant(id),
    mac,
    mtu: fc.constantFrom(1500, 9000, 68),
    model: fc.constantFrom('emulated', 'paravirtualised'),
    device: fc.constantFrom(device, `lan${device}`),
    network: fc.constantFrom(null, ...NETWORKS.map(each => each.id)),
    isDown: fc.boolean(),
  })
  return port.map(({ isDown, ...rest }) => ({ ...rest, ...(isDown && rest.network !== null && { linkDown: true }) }))
}

const FEATURES = ['FPU', 'XMM2', 'XMM3', 'LM', 'NX', 'CONSTANT_TSC', 'K8', 'XSTORE_EN'] as const
const cpu = fc
  .shuffledSubarray([...FEATURES])
  .chain(all => fc.tuple(...all.map(name => fc.tuple(fc.constant(name), fc.integer({ min: 0, max: 3 })))))
  .filter(all => all.length > 0)
  .map(all => {
    const of = (group: number) => all.filter(each => each[1] === group).map(each => each[0])
    return { required: of(0), canUse: of(1), forceOn: of(2), forceOff: of(3) }
  })

const scheduling = fc.record({
  weight: fc.integer({ min: 1, max: 65_535 }),
  capPercent: fc.option(fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(0.5, 33.25))),
  affinity: fc.option(
    fc.uniqueArray(fc.integer({ min: 0, max: 70 }), { minLength: 1 }).map(cpus => cpus.toSorted((a, b) => a - b)),
  ),
})

const boot: fc.Arbitrary<DomainConfig['boot']> = fc.oneof(
  fc.record({ kind: fc.constant('firmware' as const), device: fc.constantFrom('floppy', 'disk', 'cdrom', 'network') }),
  fc.record({
    kind: fc.constantFrom('kernel', 'guest-kernel'),
    kernel: line.map(each => `/boot/${each}`),
    initrd: fc.option(line),
    cmdline: text,
  }),
  fc.record({ kind: fc.constant('guest-grub' as const), cmdline: text }),
)

const platform = fc
  .record(
    {
      vga: fc.constantFrom('std', 'cirrus'),
      serial: fc.constantFrom('console', 'pty', 'none'),
      localTime: fc.constant(true),
      keepClockOffset: fc.constant(true),
      audio: fc.constant(true),
      tpm: fc.constant(true),
      pciDevices: fc.constantFrom(['0000:03:00.0'], ['0000:03:00.0', '0001:af:1f.7']),
    },
    { requiredKeys: [] },
  )
  .filter(each => Object.keys(each).length > 0)

const exits = fc
  .record({
    shutdown: fc.constantFrom('halt', 'restart'),
    reboot: fc.constantFrom('halt', 'restart'),
    suspend: fc.constantFrom('halt', 'restart'),
    crash: fc.constantFrom('halt', 'restart', 'hold'),
  })
  .filter(each => `${each.shutdown} ${each.reboot} ${each.suspend} ${each.crash}` !== 'halt restart halt halt')

const NOTES = [
  [
    'http://libosinfo.org/xmlns/libvirt/domain/1.0',
    "<l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'><l:os id='x'/></l:libosinfo>",
  ],
  ['urn:plain', "<note xmlns='urn:plain' a='1 &lt; 2'> text &amp; <b/><c xmlns=''/>\n</note>"],
  ['urn:two', "<p:a xmlns:p='urn:two' xmlns:q='urn:three' q:x='y' xml:lang='en'><q:b/></p:a>"],
] as const

const annotations = fc
  .tuple(fc.option(line, { nil: undefined }), fc.subarray([...NOTES]))
  .filter(([title, notes]) => title !== undefined || notes.length > 0)
  .map(([title, notes]) => ({
    ...(title !== undefined && { title }),
    ...(notes.length > 0 && { metadata: Object.fromEntries(notes) }),
  }))

const memory = fc
  .tuple(fc.integer({ min: 2, max: 2 ** 32 }), fc.integer({ min: 1, max: 2 ** 32 }))
  .map(([most, target]) => ({
    memoryBytes: most * 1024,
    ...(target < most && { memoryTargetBytes: target * 1024 }),
  }))

/**
 * Definitions of every shape that a description can carry without a digit being lost: memory in whole KiB, caps in whole
 * microseconds, and nothing said that is so anyway.
 */
export const domainConfig: fc.Arbitrary<DomainConfig> = fc
  .tuple(
    memory,
    nics,
    fc.record(
      {
        id: uuid,
        name: line,
        description: text,
        vcpus: fc.integer({ min: 1, max: 240 }),
        boot,
        disks,
        cpu,
        scheduling,
        platform,
        exits,
        annotations,
      },
      { requiredKeys: ['id', 'name', 'description', 'vcpus', 'boot', 'disks'] },
    ),
  )
  .map(([sizes, cards, rest]) => ({ ...rest, ...sizes, ...(cards.length > 0 && { nics: cards }) }))
