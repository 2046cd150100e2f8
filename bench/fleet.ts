/**
 * What many machines on simulated Hyper-V hosts cost a server: memory, and the first inventory and its refresh in round
 * trips, bytes and CPU time. Each against the same server with next to nothing, or with as many machines on one host.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient, type Session } from '../test/support/client.ts'
import { ADMIN, type Server, startServer } from '../test/support/server.ts'
import { HYPERV_ADMIN, type SimHyperv, startSimHyperv } from '../test/support/sim-hyperv.ts'
import { Relay } from '../test/wsman/transport-relay.ts'
import { print } from './measure.ts'
import { cpuSeconds, pssMib } from './processes.ts'

const MACHINES = 2_000
const FEW = 20
const HOSTS = 50
/** Hosts that are started, and connected, at once. */
const AT_ONCE = 5
const IDLE_MS = 20_000
/** How long a server may take to read its hosts in. */
const READY_MS = 120_000

/** What a server had used when something was done. */
interface Costs {
  readonly requests: number
  readonly mib: number
  readonly cpu_s: number
  readonly wall_s: number
}

/** A host, and a line to it on which everything is counted. */
interface Watched {
  readonly sim: SimHyperv
  readonly relay: Relay
  readonly uri: string
}

// Each of them is to end with this process.
process.setMaxListeners(2 * HOSTS)
const few = await fleet(1, FEW)
const many = await fleet(1, MACHINES)
print({
  bench: `fleet-memory-${MACHINES}-vms`,
  ours_mib: many.pssMib,
  reference_mib: few.pssMib,
  ratio: many.pssMib / few.pssMib,
  kib_per_vm: ((many.pssMib - few.pssMib) * 1024) / (MACHINES - FEW),
})
compare(`fleet-first-${MACHINES}-vms`, many.first, few.first)
compare(`fleet-refresh-${MACHINES}-vms`, many.refresh, few.refresh)
compare(`fleet-idle-${MACHINES}-vms`, many.idle, few.idle)

const spread = await fleet(HOSTS, MACHINES / HOSTS)
print({
  bench: `fleet-memory-${HOSTS}-hosts`,
  ours_mib: spread.pssMib,
  reference_mib: many.pssMib,
  ratio: spread.pssMib / many.pssMib,
})
compare(`fleet-first-${HOSTS}-hosts`, spread.first, many.first)
compare(`fleet-refresh-${HOSTS}-hosts`, spread.refresh, many.refresh)
compare(`fleet-idle-${HOSTS}-hosts`, spread.idle, many.idle)

function compare(bench: string, ours: Costs, reference: Costs): void {
  print({
    bench,
    requests: ours.requests,
    reference_requests: reference.requests,
    mib: ours.mib,
    reference_mib: reference.mib,
    cpu_s: ours.cpu_s,
    reference_cpu_s: reference.cpu_s,
    cpu_ratio: ours.cpu_s / reference.cpu_s,
    wall_s: ours.wall_s,
  })
}

/** A server with so many hosts of so many machines each: what connecting them costs, a restart with them, and doing nothing. */
async function fleet(hosts: number, machines: number) {
  const data = await mkdtemp(join(tmpdir(), 'polyvisor-fleet-'))
  const watched: Watched[] = []
  try {
    await inTurns(hosts, async number => void watched.push(await watch(number, machines)))
    const before = await startServer({ data, hosts: ['memory:///none'], readyMs: READY_MS })
    const first = await measured(watched, before, () => withSession(before, session => connectAll(session, watched)))
    const idle = await measured(watched, before, () => new Promise(resolve => setTimeout(resolve, IDLE_MS)))
    const memory = await pssMib(before.pid)
    await before.stop()
    reset(watched)
    const begin = performance.now()
    const after = await startServer({ data, hosts: [], readyMs: READY_MS })
    const refresh = await costs(watched, after, 0, begin)
    await after.stop()
    return { pssMib: memory, first, idle, refresh }
  } finally {
    for (const { relay, sim } of watched) {
      await relay[Symbol.asyncDispose]()
      await sim.stop()
    }
    await rm(data, { recursive: true, force: true })
  }
}

async function watch(number: number, machines: number): Promise<Watched> {
  const options = ['--vms', machines, '--pace', 0, '--seed', number + 1, '--name', `HV${number}`]
  const sim = await startSimHyperv(...options.map(String))
  const relay = await new Relay(Number(new URL(sim.urls[0] ?? '').port)).listen()
  const { host } = new URL(relay.url)
  return { sim, relay, uri: `hyperv://${HYPERV_ADMIN.name}@${host}/?transport=http&password_file=${sim.passwordFile}` }
}

async function connectAll(session: Session, watched: readonly Watched[]): Promise<void> {
  await inTurns(watched.length, async number => void (await session.ok('host.add', watched[number]?.uri ?? '')))
}

/** Does a thing for each number below `count`, some at once. */
async function inTurns(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker))
}

async function measured(watched: readonly Watched[], server: Server, act: () => Promise<unknown>): Promise<Costs> {
  reset(watched)
  const [cpu, begin] = [await cpuSeconds(server.pid), performance.now()]
  await act()
  return costs(watched, server, cpu, begin)
}

/** What was used since so much CPU time had been used, and that moment. */
async function costs(watched: readonly Watched[], { pid }: Server, cpu: number, begin: number): Promise<Costs> {
  const wall_s = (performance.now() - begin) / 1000
  const seen = watched.map(({ relay }) => Buffer.concat(relay.seen))
  const requests = seen.reduce((sum, bytes) => sum + bytes.toString('latin1').split('POST /wsman').length - 1, 0)
  const mib = seen.reduce((sum, bytes) => sum + bytes.length, 0) / 2 ** 20
  return { requests, mib, cpu_s: (await cpuSeconds(pid)) - cpu, wall_s }
}

function reset(watched: readonly Watched[]): void {
  for (const { relay } of watched) relay.seen.length = 0
}

async function withSession(server: Server, use: (session: Session) => Promise<unknown>): Promise<void> {
  const client = new ApiClient(server.http, AT_ONCE)
  try {
    await use(await client.login(ADMIN.name, ADMIN.password))
  } finally {
    client.close()
  }
}
