import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DomainConfig } from '../../../src/drivers/driver.ts'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_DEVICE_MISSING,
  VIR_ERR_OPERATION_FAILED,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
} from '../../../src/libvirt/error-numbers.ts'
import { readChange, readDevice } from '../../../src/libvirt/xml/device.ts'
import { NETWORKS } from './configs.ts'
import { domain, HYPERV, read, throwsWith } from './domains.ts'

const SURROUNDINGS = { kind: HYPERV, networks: NETWORKS }
const DISK = `<disk type='file'><source file='C:\\a.vhd'/><target dev='hda'/></disk>`
const CDROM = `<disk type='file' device='cdrom'><source file='C:\\a.iso'/><target dev='hdc'/></disk>`
const nic = (mac: string) =>
  `<interface type='network'><mac address='${mac}'/><source network='Internal'/><mtu size='9000'/></interface>`

function running(devices: string): DomainConfig {
  return read(domain({ devices }))
}

test('a disk that is to be plugged in is what it would be in the description of its domain', () => {
  const wanted = `<disk type='file'>
  <source file='D:\\\\Hyper-V\\\\Disks\\\\Disk.vhd' />
  <target dev='hdb' />
</disk>`

  const device = readDevice(wanted, running(DISK), SURROUNDINGS)

  assert.deepEqual(device, { kind: 'disk', disk: running(DISK + wanted).disks[1] })
})

test('an interface that is to be plugged in is what it would be in the description of its domain', () => {
  const wanted = "<interface type='network'>\n  <source network='Internal' />\n</interface>"

  const device = readDevice(wanted, running(nic('52:54:00:00:00:01')), SURROUNDINGS)

  assert.deepEqual(device, { kind: 'interface', nic: running(nic('52:54:00:00:00:01') + wanted).nics?.[1] })
})

test('interfaces that are plugged in one after another have addresses and names of their own', () => {
  const wanted = "<interface type='null'/>"
  const nics: NonNullable<DomainConfig['nics']>[number][] = []
  for (let index = 0; index < 5; index++) {
    const device = readDevice(wanted, { ...running(''), nics: nics.filter((_, place) => place !== 1) }, SURROUNDINGS)
    assert.equal(device.kind, 'interface')
    if (device.kind === 'interface') nics.push(device.nic)
  }

  const present = nics.filter((_, place) => place !== 1)
  for (const key of ['mac', 'device', 'id'] as const) {
    assert.equal(new Set(present.map(each => each[key])).size, present.length, key)
  }
})

test('a disk whose name is taken is refused', () => {
  throwsWith(() => readDevice(DISK, running(DISK), SURROUNDINGS), VIR_ERR_OPERATION_FAILED, 'target hda already exists')
})

test('a disk is known by its name, whatever else is said of it', () => {
  const config = running(DISK + CDROM)

  const change = readChange(`<disk type='file'><target dev='hda'/></disk>`, config, SURROUNDINGS)

  assert.equal(change.kind, 'disk')
  assert.equal(change.present, config.disks[0])
})

test('another medium for a drive is told with the id of the drive', () => {
  const config = { ...running(CDROM), disks: running(CDROM).disks.map(disk => ({ ...disk, id: 'a drive' })) }

  const change = readChange(CDROM.replace('a.iso', 'b.iso'), config, SURROUNDINGS)

  assert.deepEqual(change.wanted, { ...config.disks[0], location: 'C:\\b.iso' })
})

test('a drive without a source is one that is to be emptied', () => {
  const change = readChange(`<disk type='file' device='cdrom'><target dev='hdc'/></disk>`, running(CDROM), SURROUNDINGS)

  assert.ok('location' in change.wanted && change.wanted.location === '')
})

test('an interface is known by its address, and keeps what is not said of it', () => {
  const config = running(nic('52:54:00:00:00:01') + nic('52:54:00:00:00:02'))
  const moved = `<interface type='network'><mac address='52:54:00:00:00:02'/><source network='Extérieur &amp; &lt;Co>'/></interface>`

  const change = readChange(moved, config, SURROUNDINGS)

  assert.equal(change.present, config.nics?.[1])
  assert.deepEqual(change.wanted, { ...config.nics?.[1], network: NETWORKS[1]?.id })
})

test('the only interface needs no address', () => {
  const config = running(nic('52:54:00:00:00:01'))

  const change = readChange("<interface type='null'/>", config, SURROUNDINGS)

  assert.deepEqual(change.wanted, { ...config.nics?.[0], network: null })
})

test('a device that a domain has not, or has twice, is told as libvirt tells it', () => {
  const config = running(nic('52:54:00:00:00:01') + nic('52:54:00:00:00:02'))

  for (const [text, code, words] of [
    [`<disk><target dev='sdz'/></disk>`, VIR_ERR_DEVICE_MISSING, 'no target device sdz'],
    [nic('52:54:00:00:00:03'), VIR_ERR_DEVICE_MISSING, 'MAC address 52:54:00:00:00:03'],
    ["<interface type='null'/>", VIR_ERR_OPERATION_FAILED, 'more than one device'],
  ] as const) {
    throwsWith(() => readChange(text, config, SURROUNDINGS), code, words)
  }
})

test('devices of other kinds, and what no device can be, are refused by name', () => {
  for (const [text, name] of [
    ["<watchdog model='itco'/>", 'watchdog'],
    ["<hostdev mode='subsystem' type='usb'/>", 'hostdev'],
    [DISK.replace('</disk>', "<boot order='1'/></disk>"), 'disk/boot'],
    [DISK.replace('</disk>', '<serial>1</serial></disk>'), 'disk/serial'],
  ] as const) {
    throwsWith(() => readDevice(text, running(''), SURROUNDINGS), VIR_ERR_CONFIG_UNSUPPORTED, name)
  }
  throwsWith(() => readChange('<rng/>', running(''), SURROUNDINGS), VIR_ERR_CONFIG_UNSUPPORTED, 'rng')
  throwsWith(() => readDevice('no XML', running(''), SURROUNDINGS), VIR_ERR_XML_DETAIL)
})

test('an interface whose link is to be down keeps its network, and one that says nothing of it has its link up', () => {
  const down = nic('52:54:00:00:00:01').replace('<mtu', "<link state='down'/><mtu")
  const [present] = running(down).nics ?? []

  assert.equal(present?.linkDown, true)
  assert.equal(present.network, NETWORKS[0]?.id)
  const change = readChange(nic('52:54:00:00:00:01'), running(down), SURROUNDINGS)
  assert(change.kind === 'interface')
  assert.equal(change.wanted.linkDown, undefined)
})

test('how fast a disk may be used is read by the names of libvirt, and what excludes each other is refused', () => {
  const tuned = (tune: string) => `<disk><source file='C:\\a.vhd'/><target dev='hda'/><iotune>${tune}</iotune></disk>`
  const of = (tune: string) => running(tuned(tune)).disks[0]?.limits
  const both = '<total_bytes_sec>1</total_bytes_sec><read_bytes_sec>1</read_bytes_sec>'
  const all = `<read_bytes_sec>5</read_bytes_sec><total_iops_sec>7</total_iops_sec><read_bytes_sec_max>9</read_bytes_sec_max>
    <size_iops_sec>4096</size_iops_sec><group_name>slow</group_name>
    <read_bytes_sec_max_length>3</read_bytes_sec_max_length>`

  const readBytes = { perSecond: 5, burst: 9, burstSeconds: 3 }
  assert.deepEqual(of(all), { readBytes, requests: { perSecond: 7 }, requestBytes: 4096, group: 'slow' })
  assert.equal(of('<total_iops_sec>0</total_iops_sec><group_name>none</group_name>'), undefined)
  const text = 'total and read/write bytes_sec cannot be set at the same time'
  throwsWith(() => of(both), VIR_ERR_XML_ERROR, text)
  const odd = "disk iotune field 'read_iops_sec' must be an integer"
  for (const value of ['many', '-1', '1.5', '']) {
    throwsWith(() => of(`<read_iops_sec>${value}</read_iops_sec>`), VIR_ERR_XML_ERROR, odd)
  }
})

test('disks of one group that are to have different limits are refused', () => {
  const tuned = (
    target: string,
    perSecond: number,
  ) => `<disk><source file='C:\\${target}.vhd'/><target dev='${target}'/>
    <iotune><total_iops_sec>${perSecond}</total_iops_sec><group_name>slow</group_name></iotune></disk>`
  const text = "disks of the group 'slow' have the same limits"

  assert.equal(running(tuned('hda', 5) + tuned('hdb', 5)).disks.length, 2)
  throwsWith(() => running(tuned('hda', 5) + tuned('hdb', 6)), VIR_ERR_CONFIG_UNSUPPORTED, text)
  throwsWith(
    () => readDevice(tuned('hdb', 6), running(tuned('hda', 5)), SURROUNDINGS),
    VIR_ERR_CONFIG_UNSUPPORTED,
    text,
  )
})
