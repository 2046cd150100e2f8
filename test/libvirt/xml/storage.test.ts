import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  VIR_ERR_CONFIG_UNSUPPORTED,
  VIR_ERR_INVALID_ARG,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
} from '../../../src/libvirt/error-numbers.ts'
import { poolUuid, readPool, writePool } from '../../../src/libvirt/xml/storage-pool.ts'
import { readVolume, writeVolume } from '../../../src/libvirt/xml/storage-volume.ts'
import { unitBytes } from '../../../src/libvirt/xml/units.ts'
import { HYPERV, KVM, NEW_ID, throwsWith } from './domains.ts'

const HOST = { hostId: NEW_ID, kind: HYPERV }
const SIZES = { capacityBytes: 1000, allocationBytes: 300, availableBytes: 700 }

test('a pool is described as libvirt does, and comes back as it was', () => {
  const pool = {
    name: 'Primordial',
    uuid: poolUuid(NEW_ID, 'Primordial'),
    path: String.raw`D:\Hyper-V\Virtual Hard Disks`,
  }

  const text = writePool(pool, SIZES)

  assert.equal(
    text,
    String.raw`<pool type='dir'>
  <name>Primordial</name>
  <uuid>${pool.uuid}</uuid>
  <capacity unit='bytes'>1000</capacity>
  <allocation unit='bytes'>300</allocation>
  <available unit='bytes'>700</available>
  <source/>
  <target>
    <path>D:\Hyper-V\Virtual Hard Disks</path>
  </target>
</pool>
`,
  )
  assert.deepEqual(readPool(text, HOST), pool)
})

test('a pool without a UUID always has that of its name on its host', () => {
  const text = `<pool type='dir'><name>p</name><target><path>C:\\\\p</path></target></pool>`

  assert.deepEqual(readPool(text, HOST), { name: 'p', uuid: poolUuid(NEW_ID, 'p'), path: String.raw`C:\p` })
  assert.notEqual(poolUuid(NEW_ID, 'p'), poolUuid(NEW_ID, 'q'))
  assert.notEqual(poolUuid(NEW_ID, 'p'), poolUuid('22222222-2222-4333-8444-555555555555', 'p'))
})

test('who may enter a folder does not count where it is as libvirt writes it', () => {
  const target =
    '<target><path>/p</path><permissions><mode>0711</mode><owner>0</owner><group>0</group></permissions></target>'

  assert.equal(readPool(`<pool type='dir'><name>p</name>${target}</pool>`, { hostId: NEW_ID, kind: KVM }).path, '/p')
})

test('a path of Windows is known behind the folder of a client that took it for a relative one', () => {
  const text = String.raw`<pool type='dir'><name>p</name><target><path>/home/me/C:\\p q</path></target></pool>`

  assert.equal(readPool(text, HOST).path, String.raw`C:\p q`)
})

test('what a pool cannot be is refused by name', () => {
  for (const [text, code, name] of [
    [
      "<pool type='dir'><name>p</name><target><path>/var/lib/libvirt/images</path></target></pool>",
      VIR_ERR_CONFIG_UNSUPPORTED,
      'folders of the host are on a drive',
    ],
    ["<pool type='netfs'><name>p</name></pool>", VIR_ERR_CONFIG_UNSUPPORTED, "pool/@type = 'netfs'"],
    ["<pool type='dir'><target><path>/p</path></target></pool>", VIR_ERR_XML_ERROR, 'missing pool source name'],
    ["<pool type='dir'><name>p</name></pool>", VIR_ERR_XML_ERROR, 'missing storage pool target path'],
    ["<pool type='dir'><name>a/b</name></pool>", VIR_ERR_XML_ERROR, "name a/b cannot contain '/'"],
    ["<pool type='dir'><name>a\nb</name></pool>", VIR_ERR_XML_DETAIL, 'invalid char in name: 0x0a'],
    [
      "<pool type='tape'><name>p</name></pool>",
      VIR_ERR_XML_ERROR,
      "Invalid value for attribute 'type' in element 'pool'",
    ],
    [pool("<source><dir path='/x'/></source>"), VIR_ERR_CONFIG_UNSUPPORTED, 'pool/source/dir'],
    [pool("<features><cow state='no'/></features>"), VIR_ERR_CONFIG_UNSUPPORTED, 'pool/features'],
  ] as const) {
    throwsWith(() => readPool(text, HOST), code, name)
  }
})

function pool(rest: string): string {
  return String.raw`<pool type='dir'><name>p</name><target><path>C:\p</path></target>${rest}</pool>`
}

test('a volume is described as libvirt does, and another like it can be made of that', () => {
  const location = String.raw`C:\VHDs\a.vhd`
  const text = writeVolume('a.vhd', { location, name: 'a', format: 'vhd', virtualBytes: 2 ** 30, physicalBytes: 4096 })

  assert.equal(
    text,
    String.raw`<volume type='file'>
  <name>a.vhd</name>
  <key>C:\VHDs\a.vhd</key>
  <capacity unit='bytes'>1073741824</capacity>
  <allocation unit='bytes'>4096</allocation>
  <target>
    <path>C:\VHDs\a.vhd</path>
    <format type='vpc'/>
  </target>
</volume>
`,
  )
  assert.deepEqual(readVolume(text), { name: 'a.vhd', capacityBytes: 2 ** 30, allocationBytes: 4096, format: 'vhd' })
})

test('a volume may be described with all that libvirt tells of one', () => {
  const target = `<target><path>/p/v</path><format type='qcow2'/><permissions><mode>0600</mode><owner>0</owner><group>0</group></permissions><timestamps><atime>1.5</atime></timestamps><compat>1.1</compat><clusterSize unit='B'>65536</clusterSize><features><lazy_refcounts/></features></target>`
  const text = `<volume type='file'><name>v</name><key>/p/v</key><source/><capacity unit='G'>1</capacity><physical unit='bytes'>5</physical>${target}<backingStore/></volume>`

  assert.deepEqual(readVolume(text), { name: 'v', capacityBytes: 2 ** 30, format: 'qcow2' })
})

test('a volume whose format is not said is described without one', () => {
  assert.deepEqual(readVolume('<volume><name>v</name><capacity>512</capacity></volume>'), {
    name: 'v',
    capacityBytes: 512,
  })
})

test('what a volume cannot be is refused by name', () => {
  for (const [inside, code, name] of [
    ['<backingStore><path>/b</path></backingStore>', VIR_ERR_CONFIG_UNSUPPORTED, 'volume/backingStore/path'],
    ["<target><encryption format='luks'/></target>", VIR_ERR_CONFIG_UNSUPPORTED, 'volume/target/encryption'],
    ["<target><format type='zz'/></target>", VIR_ERR_CONFIG_UNSUPPORTED, 'unknown volume format type zz'],
    ["<target><format type='constructor'/></target>", VIR_ERR_CONFIG_UNSUPPORTED, 'unknown volume format'],
    ['<target><nocow/></target>', VIR_ERR_CONFIG_UNSUPPORTED, 'volume/target/nocow'],
    ["<allocation unit='furlong'>1</allocation>", VIR_ERR_INVALID_ARG, "unknown suffix 'furlong'"],
  ] as const) {
    throwsWith(() => readVolume(`<volume><name>v</name><capacity>1</capacity>${inside}</volume>`), code, name)
  }
  throwsWith(() => readVolume('<volume><capacity>1</capacity></volume>'), VIR_ERR_XML_ERROR, 'missing volume name')
  throwsWith(() => readVolume('<volume><name>v</name></volume>'), VIR_ERR_XML_ERROR, 'missing capacity element')
  throwsWith(
    () => readVolume("<volume type='block'><name>v</name></volume>"),
    VIR_ERR_CONFIG_UNSUPPORTED,
    "volume/@type = 'block'",
  )
})

test('units count as libvirt counts them', () => {
  const counts = {
    b: 1,
    bytes: 1,
    Byte: 1,
    K: 1024,
    k: 1024,
    KiB: 1024,
    KB: 1000,
    M: 1024 ** 2,
    MB: 1e6,
    g: 1024 ** 3,
    GiB: 1024 ** 3,
    TB: 1e12,
  }

  for (const [unit, bytes] of Object.entries(counts)) assert.equal(unitBytes(unit), BigInt(bytes), unit)
  for (const unit of ['', 'x', 'KiBi', 'bit', 'KBB', ' ']) assert.equal(unitBytes(unit), undefined, unit)
})

test('a volume of any size is described to the byte', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), virtualBytes => {
      const text = writeVolume('v', { location: '/v', name: 'v', format: 'raw', virtualBytes, physicalBytes: 0 })
      assert.equal(readVolume(text).capacityBytes, virtualBytes)
    }),
  )
})
