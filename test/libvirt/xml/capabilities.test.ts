import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostInfo } from '../../../src/drivers/driver.ts'
import { writeCapabilities } from '../../../src/libvirt/xml/capabilities.ts'
import { writeDomainCapabilities } from '../../../src/libvirt/xml/domain-capabilities.ts'
import { type HostKind, hostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { domain, read } from './domains.ts'

const INFO: HostInfo = {
  id: '43b3f39e-2b2a-4f97-8a36-82937a779ee1',
  name: 'host',
  memoryBytes: 2 ** 34,
  cpus: [0, 2].map(number => ({ number, features: ['FPU', 'XMM2', 'LM'] })),
  softwareVersion: {},
}
const EMULATOR = { program: '/usr/bin/qemu-system-x86_64', hasTpm: true }
/** Each kind of host, and what it says of itself. */
const HOSTS: readonly (readonly [HostKind, HostInfo])[] = [
  [hostKind('hyperv'), INFO],
  [hostKind('memory'), INFO],
  [hostKind('qemu', 'kvm'), { ...INFO, emulator: EMULATOR }],
  [hostKind('qemu', 'tcg'), { ...INFO, emulator: { ...EMULATOR, hasTpm: false } }],
]
const capsOf = (kind: HostKind, info: HostInfo): string => writeDomainCapabilities({}, { info, kind, vcpusMax: 64 })

test('a host with one NUMA node tells what is in it, and where its program is', () => {
  const text = writeCapabilities({ ...INFO, emulator: EMULATOR }, hostKind('qemu'), { hardware: { nodes: 1 } })

  assert.match(
    text,
    /<cell id=.0.>\s+<memory unit=.KiB.>16777216<\/memory>\s+<cpus num=.2.>\s+<cpu id=.0.\/>\s+<cpu id=.2.\/>/,
  )
  assert.match(text, /<emulator>\/usr\/bin\/qemu-system-x86_64<\/emulator>\s+<machine>pc<\/machine>/)
})

test('what machines can have is what their host takes', () => {
  for (const [kind, info] of HOSTS) {
    const { buses, videos, tpms } = kind.offer
    const text = capsOf(kind, info)
    const type = kind.types[0]
    const disk = (bus: string) => `<disk device='cdrom'><target dev='hda' bus='${bus}'/></disk>`

    for (const bus of buses.filter(each => each !== 'fdc')) {
      assert(text.includes(`<value>${bus}</value>`))
      assert.equal(read(domain({ type, devices: disk(bus) }), kind).disks.length, 1)
    }
    for (const video of videos) {
      read(domain({ type, devices: `<video><model type='${video}'/></video>` }), kind)
    }
    for (const tpm of tpms) {
      const devices = `<tpm model='${tpm}'><backend type='emulator' version='2.0'/></tpm>`
      assert.deepEqual(read(domain({ type, devices }), kind).platform, { tpm: true })
    }
    for (const mode of [...text.matchAll(/<mode name=.([\w-]+). supported=.yes./g)].map(match => match[1])) {
      read(domain({ type, rest: `<cpu mode='${mode}'/>` }), kind)
    }
  }
})

test('a TPM is offered where there is something to emulate it with', () => {
  const kind = hostKind('qemu', 'tcg')

  assert.match(
    capsOf(kind, { ...INFO, emulator: EMULATOR }),
    /<tpm supported=.yes.>\s+<enum name=.model.>\s+<value>tpm-tis</,
  )
  assert.match(capsOf(kind, { ...INFO, emulator: { ...EMULATOR, hasTpm: false } }), /<tpm supported=.no.\/>/)
})

test('clients are told of VNC where there is one, and never of what they would ask for in vain', () => {
  for (const [kind, info] of HOSTS) {
    const text = capsOf(kind, info)
    assert.equal(
      /<graphics supported=.yes.>\s+<enum name=.type.>\s+<value>vnc<\/value>\s+<\/enum>/.test(text),
      kind.hasVnc,
    )
    assert.doesNotMatch(text, /spice|qxl|q35|efi|virtiofs|memfd/)
  }
})
