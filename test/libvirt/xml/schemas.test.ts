import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import type { DomainConfig, HostInfo } from '../../../src/drivers/driver.ts'
import { writeCapabilities } from '../../../src/libvirt/xml/capabilities.ts'
import { writeDomainCapabilities } from '../../../src/libvirt/xml/domain-capabilities.ts'
import { writeDomain } from '../../../src/libvirt/xml/domain-writer.ts'
import { type HostKind, hostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { NETWORKS } from './configs.ts'

/** Of Debian's package libvirt0. */
const SCHEMAS = '/usr/share/libvirt/schemas'
const EMULATOR = { program: '/usr/bin/qemu-system-x86_64', hasTpm: true }
const ID = '43b3f39e-2b2a-4f97-8a36-82937a779ee1'
const INFO: HostInfo = {
  id: ID,
  name: 'host',
  memoryBytes: 2 ** 34,
  cpus: [0, 2].map(number => ({ number, features: ['FPU', 'XMM2', 'LM'] })),
  softwareVersion: {},
}
/** Each kind of host, and what it says of itself. */
const HOSTS: Readonly<Record<string, readonly [HostKind, HostInfo]>> = {
  hyperv: [hostKind('hyperv'), INFO],
  memory: [hostKind('memory'), INFO],
  kvm: [hostKind('qemu', 'kvm', EMULATOR.program), { ...INFO, emulator: EMULATOR }],
  tcg: [hostKind('qemu', 'tcg', EMULATOR.program), { ...INFO, emulator: { ...EMULATOR, hasTpm: false } }],
}

/** A machine with something of everything. */
const EVERYTHING: DomainConfig = {
  id: ID,
  name: 'web-1',
  description: 'two\nlines',
  memoryBytes: 2 ** 31,
  memoryTargetBytes: 2 ** 30,
  vcpus: 4,
  cpu: { required: ['XMM2'], canUse: [], forceOn: [], forceOff: ['XMM3'] },
  scheduling: { weight: 512, capPercent: 50, affinity: [0, 1, 3] },
  boot: { kind: 'firmware', device: 'cdrom' },
  disks: [
    { id: 'a', location: '/srv/a.qcow2', format: 'qcow2', readOnly: false, device: 'vda', bus: 'paravirtualised' },
    { id: ID, kind: 'cdrom', location: '', format: 'raw', readOnly: true, device: 'hda', bus: 'emulated' },
    { id: 'c', kind: 'floppy', location: '/srv/c.img', format: 'raw', readOnly: false, device: 'fda', bus: 'emulated' },
  ],
  nics: ['paravirtualised', 'emulated'].map(model => ({
    id: model,
    mac: '52:54:00:12:34:56',
    mtu: 9_000,
    model: model === 'emulated' ? 'emulated' : 'paravirtualised',
    device: model === 'emulated' ? 'eth1' : 'eth0',
    network: model === 'emulated' ? null : (NETWORKS[0]?.id ?? null),
  })),
  platform: {
    vga: 'std',
    serial: 'console',
    localTime: true,
    keepClockOffset: true,
    audio: true,
    rng: true,
    tablet: true,
    memoryStatsSeconds: 5,
    tpm: true,
    enlightened: true,
    pciDevices: ['0000:03:00.0'],
  },
  exits: { shutdown: 'restart', reboot: 'halt', suspend: 'restart', crash: 'hold' },
  annotations: { title: 'A title', metadata: { 'urn:x': '<n:x xmlns:n="urn:x" a="b"><n:y/></n:x>' } },
}

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pv-schemas-'))
})
after(() => rm(folder, { recursive: true }))

async function assertValid(name: string, text: string, schema: string): Promise<void> {
  const path = join(folder, `${name}.xml`)
  await writeFile(path, text)
  await promisify(execFile)('xmllint', ['--nonet', '--noout', '--relaxng', join(SCHEMAS, schema), path])
}

for (const [name, [kind, info]] of Object.entries(HOSTS)) {
  test(`what a ${name} host can do, and what its machines can have, is as libvirt’s own schemas have it`, async () => {
    // libvirt 9.0 has forgotten its own type there.
    const host = writeCapabilities(info, kind, { vcpusMax: 64, hardware: { nodes: 1 } })
    await assertValid(`host-${name}`, host.replace(/(?<=type=.)hyperv/, 'test'), 'capability.rng')
    // It demands a path, which libvirt leaves away itself where there is none.
    const machines = writeDomainCapabilities({}, { info, kind, vcpusMax: 64 })
    const whole = machines.includes('<path>') ? machines : machines.replace('<domain>', '<path>/none</path><domain>')
    await assertValid(`machines-${name}`, whole, 'domaincaps.rng')
  })

  test(`machines of a ${name} host are described as libvirt’s own schemas have it`, async () => {
    const networks = NETWORKS
    const halted = writeDomain(EVERYTHING, { kind, networks })
    await assertValid(`halted-${name}`, halted, 'domain.rng')
    const live = { id: 7, memoryNowBytes: 2 ** 29, ...(kind.hasVnc && { screenPort: 5_901 }) }
    const boot = { kind: 'kernel', kernel: '/boot/vmlinuz', initrd: '/boot/initrd', cmdline: 'quiet' } as const
    await assertValid(`live-${name}`, writeDomain({ ...EVERYTHING, boot }, { kind, networks, live }), 'domain.rng')
  })
}
