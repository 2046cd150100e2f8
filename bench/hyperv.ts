/**
 * What operations on a simulated Hyper-V host cost that takes 10 ms for each request: round trips and seconds, against
 * the round trips of libvirt's C driver for the same, as counted on the wire, at the same pace.
 */

import { connect } from '../src/drivers/hyperv/index.ts'
import type { DomainConfig, Driver } from '../src/drivers/driver.ts'
import { HYPERV_ADMIN, startSimHyperv } from '../test/support/sim-hyperv.ts'
import { Relay } from '../test/wsman/transport-relay.ts'
import { print } from './measure.ts'

const MACHINES = 200
const LATENCY_MS = 10
const CONNECTIONS = 4
const MIB = 1_048_576

/** Round trips of libvirt 11.3.0, a job that ends at once looked at once. */
const REFERENCE = { list: 606, state: 2, definition: 26, define: 43, change: 22, start: 5, undefine: 5 } as const

const CONFIG: DomainConfig = {
  id: crypto.randomUUID(),
  name: 'bench',
  description: '',
  memoryBytes: 64 * MIB,
  vcpus: 1,
  boot: { kind: 'firmware', device: 'disk' },
  disks: [],
}

const sim = await startSimHyperv(
  '--vms',
  String(MACHINES),
  '--latency',
  String(LATENCY_MS),
  '--pace',
  '0',
  '--seed',
  '1',
)
const relay = await new Relay(Number(new URL(sim.urls[0] ?? '').port)).listen()
try {
  const uri = `hyperv://${HYPERV_ADMIN.name}@${new URL(relay.url).host}/?transport=http&password_file=${sim.passwordFile}`
  const driver = await connect({ uri: new URL(uri), warn: message => process.stderr.write(`${message}\n`) })
  try {
    await measure(driver)
  } finally {
    await driver.close()
  }
} finally {
  await relay[Symbol.asyncDispose]()
  await sim.stop()
}

async function measure({ domains }: Driver): Promise<void> {
  // So that nobody pays for logging on.
  await Promise.all(Array.from({ length: CONNECTIONS }, () => domains.list()))
  await row('list', () => domains.list())
  await row('define', () => domains.define(CONFIG))
  await row('state', () => domains.get(CONFIG.id))
  await row('definition', () => domains.config(CONFIG.id))
  await row('change', () => domains.define({ ...CONFIG, vcpus: 2, memoryBytes: 2 * CONFIG.memoryBytes }))
  await row('start', () => domains.start(CONFIG.id))
  await domains.powerOff(CONFIG.id)
  await row('undefine', () => domains.undefine(CONFIG.id))
}

async function row(name: keyof typeof REFERENCE, operation: () => Promise<unknown>): Promise<void> {
  const before = requests()
  const begin = performance.now()
  await operation()
  const ours_s = (performance.now() - begin) / 1000
  const trips = requests() - before
  const reference_trips = REFERENCE[name]
  print({ bench: `hyperv-${name}`, trips, reference_trips, ratio: trips / reference_trips, ours_s })
}

function requests(): number {
  return Buffer.concat(relay.seen).toString('latin1').split('POST /wsman').length - 1
}
