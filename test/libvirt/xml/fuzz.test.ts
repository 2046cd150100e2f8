import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { LibvirtError } from '../../../src/libvirt/errors.ts'
import { readChange, readDevice } from '../../../src/libvirt/xml/device.ts'
import { readDomain } from '../../../src/libvirt/xml/domain-reader.ts'
import { readSnapshot } from '../../../src/libvirt/xml/domain-snapshot.ts'
import { writeDomain } from '../../../src/libvirt/xml/domain-writer.ts'
import { readNetwork } from '../../../src/libvirt/xml/network.ts'
import { readPool } from '../../../src/libvirt/xml/storage-pool.ts'
import { readVolume } from '../../../src/libvirt/xml/storage-volume.ts'
import { domainConfig, NETWORKS } from './configs.ts'
import { domain, HYPERV, NEW_ID, read } from './domains.ts'

const newId = () => NEW_ID
const SURROUNDINGS = { kind: HYPERV, networks: NETWORKS, newId }
const OTHER = read(domain({ devices: "<interface type='null'/><disk device='cdrom'><target dev='hda'/></disk>" }))

/** What was read of a domain comes back from its own description. */
function readTwice(text: string): void {
  const config = readDomain(text, SURROUNDINGS)
  assert.deepEqual(readDomain(writeDomain(config, SURROUNDINGS), SURROUNDINGS), config)
}

const READERS: readonly ((text: string) => unknown)[] = [
  readTwice,
  text => readDevice(text, OTHER, SURROUNDINGS),
  text => readChange(text, OTHER, SURROUNDINGS),
  text => readNetwork(text, SURROUNDINGS),
  text => readPool(text, { hostId: NEW_ID, kind: HYPERV }),
  text => readVolume(text),
  text => readSnapshot(text),
]

/** Demands that every reader takes the text, or says as libvirt does why not. */
function survives(text: string): void {
  for (const reader of READERS) {
    try {
      reader(text)
    } catch (error) {
      assert.ok(error instanceof LibvirtError, `${String(error)} on ${text}`)
    }
  }
}

/** Words that mean something somewhere, and some that do anywhere. */
const NAMES = (
  'domain network pool volume domainsnapshot disk interface name uuid memory currentMemory vcpu cputune shares quota period os type ' +
  'boot kernel features hyperv cpu topology feature model clock timer on_crash devices source target driver address alias mac mtu link ' +
  'serial console video hostdev tpm backend graphics listen forward bridge vlan tag ip dhcp capacity allocation path format permissions ' +
  'metadata disks constructor toString __proto__'
).split(' ')
const ATTRIBUTES = (
  'type device dev bus file network bridge address unit id mode name order current cpuset placement arch port policy size value state ' +
  'controller netmask prefix snapshot constructor __proto__'
).split(' ')
const VALUES = fc.oneof(
  fc.constantFrom(
    '',
    'hvm',
    'hyperv',
    'file',
    'network',
    'hda',
    'pci',
    'drive',
    '0',
    '1',
    '-1',
    '99999999999999999999',
    '0-9',
    '^',
    'constructor',
    '__proto__',
    'x',
  ),
  fc.string({ maxLength: 6 }).map(text => text.replace(/[^\u0020-\u007e]|[<&"']/g, '')),
)

const { tree } = fc.letrec<{ tree: string }>(tie => ({
  tree: fc
    .record({
      name: fc.constantFrom(...NAMES),
      attributes: fc.uniqueArray(fc.tuple(fc.constantFrom(...ATTRIBUTES), VALUES), {
        maxLength: 4,
        selector: ([name]) => name,
      }),
      children: fc.array(fc.oneof({ maxDepth: 5 }, VALUES, tie('tree')), { maxLength: 5 }),
    })
    .map(({ name, attributes, children }) => {
      const spelled = attributes.map(([key, value]) => ` ${key}='${value}'`).join('')
      return `<${name}${spelled}>${children.join('')}</${name}>`
    }),
}))

test('whatever is read, nothing but errors of libvirt comes of it', () => {
  fc.assert(fc.property(tree, survives), { numRuns: 300 })
  fc.assert(fc.property(fc.string({ maxLength: 40 }), survives), { numRuns: 100 })
})

test('a description in which something was cut out or put in is read, or refused as libvirt refuses', () => {
  const cut = fc.record({
    config: domainConfig,
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.nat(30),
    insert: tree,
  })

  fc.assert(
    fc.property(cut, fc.boolean(), ({ config, from, length, insert }, isWhole) => {
      const text = writeDomain(config, SURROUNDINGS)
      const at = isWhole ? text.indexOf('>', Math.floor(from * text.length)) + 1 : Math.floor(from * text.length)

      survives(isWhole ? text.slice(0, at) + insert + text.slice(at) : text.slice(0, at) + text.slice(at + length))
    }),
    { numRuns: 150 },
  )
})

test('what every object has is no word of libvirt', () => {
  for (const word of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const places = [
      domain({ devices: `<disk><source file='/x'/><target dev='hda' bus='${word}'/></disk>` }),
      domain({ devices: `<disk><driver type='${word}'/><source file='/x'/><target dev='hda'/></disk>` }),
      domain({ devices: `<disk><source file='/x'/><target dev='hda'/><${word}/></disk>` }),
      domain({ devices: `<interface type='null'><model type='${word}'/></interface>` }),
      domain({ devices: `<${word}/>` }),
      domain({ devices: `<emulator ${word}='x'/>` }),
      domain({ rest: `<on_crash>${word}</on_crash>` }),
      domain({ os: `<boot dev='${word}'/>` }),
    ]
    for (const text of places) assert.throws(() => readTwice(text), LibvirtError, text)
    const [disk] = read(domain({ devices: `<disk><source file='/x.${word}'/><target dev='hda'/></disk>` })).disks
    assert.equal(disk?.format, 'raw')
  }
})

test('a parser that is given elements in each other without end stops', () => {
  survives('<domain>'.repeat(100_000))
  survives(`${'<disk>'.repeat(500)}${'</disk>'.repeat(500)}`)
})
