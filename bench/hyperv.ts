/**
 * What libvirt's functions cost through this package on a simulated Hyper-V host that takes 10 ms for each request: round
 * trips and seconds, against the round trips of libvirt's C driver for the same, as counted on the wire. Its seconds are what
 * these take at the same pace, one after the other as it sends them.
 */

import type { Driver } from '../src/drivers/driver.ts'
import { connect } from '../src/drivers/hyperv/index.ts'
import { type Connection, connectionOf, type Domain } from '../src/libvirt/index.ts'
import { HYPERV_ADMIN, startSimHyperv } from '../test/support/sim-hyperv.ts'
import { Relay } from '../test/wsman/transport-relay.ts'
import { print } from './measure.ts'

const MACHINES = 200
const LATENCY_MS = 10
const CONNECTIONS = 4
const VCPUS = 64
const MIB = 1_048_576

/**
 * Round trips of libvirt 11.3.0, a job that has ended when it is first looked at; `define` is of a machine with a disk and an
 * interface. Source: libvirt's own requests, counted.
 */
const REFERENCE = {
  list: 606,
  'get-info': 8,
  'get-xml-desc': 26,
  'define-xml': 89,
  'set-memory': 11,
  'get-vcpus': 2 * VCPUS,
  'get-state': 2,
  create: 9,
  destroy: 9,
  undefine: 9,
} as const

const options = ['--vms', MACHINES, '--latency', LATENCY_MS, '--pace', 0, '--seed', 1, '--cpus', VCPUS]
const sim = await startSimHyperv(...options.map(String))
const relay = await new Relay(Number(new URL(sim.urls[0] ?? '').port)).listen()
try {
  const uri = `hyperv://${HYPERV_ADMIN.name}@${new URL(relay.url).host}/?transport=http&password_file=${sim.passwordFile}`
  const driver = await connect({ uri: new URL(uri), warn: message => process.stderr.write(`${message}\n`) })
  try {
    await measure(driver, await connectionOf(driver, { uri }))
  } finally {
    await driver.close()
  }
} finally {
  await relay[Symbol.asyncDispose]()
  await sim.stop()
}

async function measure(driver: Driver, connection: Connection): Promise<void> {
  const xml = await machineXml(driver)
  // So that nobody pays for logging on.
  await Promise.all(Array.from({ length: CONNECTIONS }, () => driver.domains.list()))
  await row('list', async () => {
    for (const domain of await connection.listAllDomains()) await domain.getState()
  })
  const domain = await row('define-xml', () => connection.domainDefineXML(xml))
  await row('get-state', () => domain.getState())
  await row('get-info', () => domain.getInfo())
  await row('get-xml-desc', () => domain.getXMLDesc())
  await row('set-memory', () => domain.setMemory((32 * MIB) / 1024))
  await row('create', () => domain.create())
  await row('get-vcpus', () => domain.getVcpus())
  await end(domain)
}

async function end(domain: Domain): Promise<void> {
  await row('destroy', () => domain.destroy())
  await row('undefine', () => domain.undefine())
}

/** A machine with a disk and an interface that are there. */
async function machineXml({ storage, networks }: Driver): Promise<string> {
  const network = { id: crypto.randomUUID(), name: 'bench', nic: '', vlan: null, gateway: '', netmask: '' }
  await networks?.define(network)
  const repository = { type: 'dir', location: storage?.defaultLocation('bench') ?? '' }
  await storage?.openRepository(repository)
  const wanted = { name: 'bench', format: 'vhdx', virtualBytes: 64 * MIB } as const
  const volume = await storage?.createVolume(repository, wanted)
  return `<domain type='hyperv'>
  <name>bench</name>
  <memory unit='MiB'>64</memory>
  <vcpu>${VCPUS}</vcpu>
  <os><type arch='x86_64'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'><source file='${volume?.location}'/><target dev='hda' bus='ide'/></disk>
    <interface type='network'><source network='bench'/></interface>
  </devices>
</domain>`
}

async function row<R>(name: keyof typeof REFERENCE, operation: () => Promise<R>): Promise<R> {
  const before = requests()
  const begin = performance.now()
  const result = await operation()
  const ours_s = (performance.now() - begin) / 1000
  const trips = requests() - before
  const reference_trips = REFERENCE[name]
  const reference_s = (reference_trips * LATENCY_MS) / 1000
  print({ bench: `hyperv-${name}`, trips, reference_trips, ratio: trips / reference_trips, ours_s, reference_s })
  return result
}

function requests(): number {
  return Buffer.concat(relay.seen).toString('latin1').split('POST /wsman').length - 1
}
