import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VIR_ERR_CONFIG_UNSUPPORTED } from '../../../src/libvirt/error-numbers.ts'
import { writeDomain } from '../../../src/libvirt/xml/domain-writer.ts'
import { hostKind } from '../../../src/libvirt/xml/host-kind.ts'
import { NETWORKS } from './configs.ts'
import { domain, HYPERV, KVM, NEW_ID, read, TEST, throwsWith } from './domains.ts'

const SURROUNDINGS = { kind: HYPERV, networks: NETWORKS }

/** Source: "libvirt driver for Hyper-V", §3.1.1, as printed there. */
const DOCUMENTED = String.raw`<domain type='hyperv'>
  <name>test</name>
  <uuid>43b3f39e-2b2a-5f97-0a36-82937a779ee1</uuid>
  <memory>1048576</memory>
  <currentMemory>1048576</currentMemory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
  </os>
  <devices>
    <disk type='file'>
      <source file='D:\\Hyper-V\\Disks\\Disk.vhd' />
      <target dev='hda' />
    </disk>
    <interface type='network'>
      <source network='Internal' />
    </interface>
  </devices>
</domain>`

test('the example of the document is read as it is printed', () => {
  const config = read(DOCUMENTED)

  assert.deepEqual(
    { ...config, disks: config.disks.map(({ id: _id, ...disk }) => disk) },
    {
      id: '43b3f39e-2b2a-5f97-0a36-82937a779ee1',
      name: 'test',
      description: '',
      memoryBytes: 1024 ** 3,
      vcpus: 1,
      boot: { kind: 'firmware', device: 'disk' },
      disks: [
        {
          location: String.raw`D:\Hyper-V\Disks\Disk.vhd`,
          format: 'vhd',
          readOnly: false,
          device: 'hda',
          bus: 'emulated',
        },
      ],
      nics: [
        {
          id: config.nics?.[0]?.id,
          mac: config.nics?.[0]?.mac,
          mtu: 1500,
          model: 'paravirtualised',
          device: 'eth0',
          network: NETWORKS[0]?.id,
        },
      ],
    },
  )
})

test('the same description gives the same ids and addresses whenever it is read', () => {
  assert.deepEqual(read(DOCUMENTED), read(DOCUMENTED))
  assert.match(read(DOCUMENTED).nics?.[0]?.mac ?? '', /^00:15:5d(:[0-9a-f]{2}){3}$/)
  assert.match(read(DOCUMENTED).disks[0]?.id ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
})

test('another UUID gives other ids and addresses, and so does another place', () => {
  const two = domain({ devices: `<interface type='null'/><interface type='null'/>` })
  const [first, second] = read(two).nics ?? []

  assert.notEqual(first?.mac, second?.mac)
  assert.notEqual(first?.id, second?.id)
  assert.deepEqual([first?.device, second?.device], ['eth0', 'eth1'])
  const other = read(DOCUMENTED.replace('43b3', '53b3'))
  assert.notEqual(other.disks[0]?.id, read(DOCUMENTED).disks[0]?.id)
  assert.notEqual(other.nics?.[0]?.mac, read(DOCUMENTED).nics?.[0]?.mac)
})

test('interfaces with the same address have ids of their own', () => {
  const nic = `<interface type='null'><mac address='52:54:00:00:00:01'/></interface>`
  const [first, second] = read(domain({ devices: nic + nic })).nics ?? []

  assert.equal(first?.mac, second?.mac)
  assert.notEqual(first?.id, second?.id)
})

test('addresses that are chosen begin as those of their hypervisor, with libvirt’s own prefix elsewhere', () => {
  const text = domain({ devices: `<interface type='null'/>`, type: 'kvm' })

  assert.match(read(text, KVM).nics?.[0]?.mac ?? '', /^52:54:00:/)
})

test('a description without a UUID is given one', () => {
  assert.equal(read(domain({})).id, NEW_ID)
})

test('a UUID is read with or without hyphens, in either case', () => {
  const head = '<uuid> 43B3F39E2B2A5F970A3682937A779EE1 </uuid>'

  assert.equal(read(domain({ head })).id, '43b3f39e-2b2a-5f97-0a36-82937a779ee1')
})

test('ids of devices stay those they were through a description', () => {
  const config = read(DOCUMENTED)
  const ours = {
    ...config,
    disks: config.disks.map(disk => ({ ...disk, id: 'aaaaaaaa-0000-4000-8000-000000000001' })),
    nics: config.nics?.map(nic => ({ ...nic, id: 'aaaaaaaa-0000-4000-8000-000000000002' })) ?? [],
  }
  const text = writeDomain(ours, { kind: HYPERV, networks: NETWORKS })

  assert.deepEqual(read(text), ours)
  assert.match(text, /<alias name='ua-aaaaaaaa-0000-4000-8000-000000000001'\/>/)
})

test('a domain is described as libvirt does', () => {
  const config = read(DOCUMENTED)
  const text = writeDomain(config, {
    kind: HYPERV,
    networks: NETWORKS,
    live: { id: 7, memoryNowBytes: 512 * 1024 ** 2 },
  })

  assert.equal(
    text,
    String.raw`<domain type='hyperv' id='7'>
  <name>test</name>
  <uuid>43b3f39e-2b2a-5f97-0a36-82937a779ee1</uuid>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>524288</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features>
    <acpi/>
    <apic/>
    <pae/>
  </features>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <source file='D:\Hyper-V\Disks\Disk.vhd'/>
      <target dev='hda' bus='ide'/>
      <address type='drive' controller='0' bus='0' target='0' unit='0'/>
    </disk>
    <interface type='network'>
      <mac address='${config.nics?.[0]?.mac}'/>
      <source network='Internal'/>
      <target dev='eth0'/>
      <model type='netvsc'/>
    </interface>
  </devices>
</domain>
`,
  )
})

test('a domain that is not running has no number', () => {
  assert.match(writeDomain(read(DOCUMENTED), { kind: HYPERV, networks: NETWORKS }), /^<domain type='hyperv'>/)
})

test('a description says of which kind its host is, and is read by that kind alone', () => {
  const ids = (kind: typeof TEST) => writeDomain(read(DOCUMENTED), { kind, networks: NETWORKS })

  assert.match(ids(TEST), /^<domain type='test'>/)
  assert.match(ids(KVM), /^<domain type='kvm'>/)
  assert.match(ids(hostKind('qemu', 'tcg')), /^<domain type='qemu'>/)
  assert.equal(read(domain({ type: 'qemu' }), KVM).name, 'web')
  const call = () => read(domain({ type: 'kvm' }), hostKind('qemu', 'tcg'))
  throwsWith(call, VIR_ERR_CONFIG_UNSUPPORTED, "domain/@type = 'kvm'")
})

test('a network is called by its UUID where its name is that of two, or is none the host has any more', () => {
  const gone = '99999999-0000-4000-8000-000000000000'
  for (const id of [NETWORKS[2]?.id ?? '', gone]) {
    const config = { ...read(DOCUMENTED), nics: [{ ...nicOf(DOCUMENTED), network: id }] }

    const text = writeDomain(config, { kind: HYPERV, networks: NETWORKS })

    assert.match(text, new RegExp(`<source network='${id}'/>`))
  }
})

function nicOf(text: string) {
  const [nic] = read(text).nics ?? []
  return nic ?? assert.fail('it has no interface')
}

test('IDE drives are where the document says on Hyper-V, and where libvirt says elsewhere', () => {
  const drive = (device: string) => `<disk type='file'><source file='/x'/><target dev='${device}' bus='ide'/></disk>`
  const devices = ['hda', 'hdb', 'hdc', 'hdd'].map(drive).join('')
  const places = (kind: typeof KVM, type: string) =>
    [
      ...writeDomain(read(domain({ devices, type }), kind), { kind, networks: [] }).matchAll(
        /controller='(\d)' bus='(\d)' target='0' unit='(\d)'/g,
      ),
    ].map(each => each.slice(1).join(''))

  assert.deepEqual(places(HYPERV, 'hyperv'), ['000', '001', '100', '101'])
  assert.deepEqual(places(KVM, 'kvm'), ['000', '001', '010', '011'])
})

test('drives on SCSI are told their places, 64 to a controller, but the first, which may have to boot from IDE', () => {
  const drive = (device: string) => `<disk type='file'><source file='/x'/><target dev='${device}' bus='scsi'/></disk>`
  const text = writeDomain(read(domain({ devices: ['sda', 'sdb', 'sdbm'].map(drive).join('') })), SURROUNDINGS)

  const places = [...text.matchAll(/controller='(\d)' bus='(\d)' target='0' unit='(\d+)'/g)].map(each =>
    each.slice(1).join(':'),
  )

  assert.deepEqual(places, ['0:0:1', '1:0:0'])
})

test('an address that says the same as the name of a drive is read, in libvirt’s numbering too', () => {
  for (const [controller, bus] of [
    [1, 0],
    [0, 1],
  ]) {
    const address = `<address type='drive' controller='${controller}' bus='${bus}' target='0' unit='1'/>`
    const devices = `<disk type='file'><source file='/x.vhd'/><target dev='hdd' bus='ide'/>${address}</disk>`

    assert.equal(read(domain({ devices })).disks[0]?.device, 'hdd')
  }
})

test('a description of 5,000 disks is read in no time', () => {
  const disk = (index: number) =>
    `<disk type='file'><source file='/x${index}'/><target dev='sd${index}' bus='scsi'/></disk>`
  const devices = Array.from({ length: 5_000 }, (_, index) => disk(index)).join('')

  assert.equal(read(domain({ devices })).disks.length, 5_000)
})
