/**
 * One server with 500 VMs, 40 of which run: what each weighs, what calls take before and after, what starting one takes
 * among so many, and what the server does when nobody calls.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiClient, type Session } from '../test/support/client.ts'
import { bootableVm, bootImages, endGuests, qemuProcesses } from '../test/support/machine.ts'
import { ADMIN, startServer } from '../test/support/server.ts'
import { commandOf, startByHand, startThroughApi } from './by-hand.ts'
import { median, print, quantile } from './measure.ts'
import { cpuSeconds, pssMib } from './processes.ts'

const VMS = 500
const GUESTS = 40
const CALLS = 1_000
/** Not counted: the server compiles what it does often. */
const WARM_CALLS = 2_000
/** After every so many starts through the API comes one by hand, so that both have as many guests beside them. */
const BY_HAND_EVERY = 4
const SETTLE_MS = 10_000
const IDLE_MS = 30_000

const folder = await mkdtemp(join(tmpdir(), 'polyvisor-bench-'))
const server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'] })
const client = new ApiClient(server.http)
try {
  const session = await client.login(ADMIN.name, ADMIN.password)
  const images = await bootImages(session, join(folder, 'images'), GUESTS + 1)
  const empty = await pssMib(server.pid)
  const [spare = '', ...guests] = await defineAll(session, images)
  const command = await commandOf(server, session, spare)
  const before = await latencies(session, spare)
  const defined = await pssMib(server.pid)
  print({ bench: 'guests-defined', vms: VMS, empty_mib: empty, ours_mib: defined, kib_per_vm: perVm(empty, defined) })
  await startAll(session, guests, spare, command)
  await sleep(SETTLE_MS)
  await idle()
  printLatencies(before, await latencies(session, spare))
} finally {
  client.close()
  await server.stop()
  await endGuests(folder)
  await rm(folder, { recursive: true, force: true })
}

function perVm(empty: number, defined: number): number {
  return ((defined - empty) * 1024) / VMS
}

/** Answers those with an image to boot. */
async function defineAll(session: Session, images: readonly string[]): Promise<string[]> {
  const bootable: string[] = []
  for (const [number, image] of images.entries()) bootable.push(await bootableVm(session, `guest-${number}`, image))
  const values = { memory_static_max: String(16 * 1_048_576) }
  for (let number = images.length; number < VMS; number++) {
    await session.ok('VM.create', { name_label: `vm-${number}`, ...values })
  }
  return bootable
}

async function startAll(session: Session, guests: readonly string[], spare: string, command: readonly string[]) {
  const [ours, byHand]: [number[], number[]] = [[], []]
  for (const [number, vm] of guests.entries()) {
    ours.push(await startThroughApi(server, session, vm))
    if (number % BY_HAND_EVERY === 0) byHand.push(await startByHand(server, spare, command))
  }
  const [ours_ms, reference_ms] = [median(ours), median(byHand)]
  print({ bench: 'guests-start', guests: GUESTS, ours_ms, reference_ms, ratio: ours_ms / reference_ms })
}

/** What guests weigh, and what the server does while nobody calls: its sampler reads them every few seconds. */
async function idle(): Promise<void> {
  const guests = await qemuProcesses(server.data)
  const cpu = await cpuSeconds(server.pid)
  const begin = performance.now()
  await sleep(IDLE_MS)
  const percent = ((await cpuSeconds(server.pid)) - cpu) / ((performance.now() - begin) / 100_000)
  const weights = await Promise.all(guests.map(pssMib))
  const guest = { guest_pss_mib: median(weights), guest_pss_max_mib: Math.max(...weights), guest_ram_mib: 16 }
  const total_guests_mib = weights.reduce((sum, weight) => sum + weight, 0)
  print({ bench: 'guests-weight', guests: guests.length, ...guest, total_guests_mib })
  print({ bench: 'guests-idle', server_cpu_percent: percent, server_mib: await pssMib(server.pid) })
}

/** Times of calls in milliseconds, by method. */
type Latencies = ReadonlyMap<string, readonly number[]>

async function latencies(session: Session, vm: string): Promise<Latencies> {
  const calls = { 'VM.get_power_state': [vm], 'VM.get_all': [], 'VM.to_XML': [vm] } as const
  const found = new Map<string, number[]>()
  for (const [method, args] of Object.entries(calls)) {
    const times: number[] = []
    for (let call = -WARM_CALLS; call < CALLS; call++) {
      const begin = performance.now()
      await session.ok(method, ...args)
      if (call >= 0) times.push(performance.now() - begin)
    }
    found.set(method, times)
  }
  return found
}

function printLatencies(before: Latencies, after: Latencies): void {
  for (const [method, reference] of before) {
    const ours = after.get(method) ?? []
    print({
      bench: `guests-${method}`,
      ours_p50_ms: median(ours),
      ours_p99_ms: quantile(ours, 0.99),
      reference_p50_ms: median(reference),
      reference_p99_ms: quantile(reference, 0.99),
      ratio: median(ours) / median(reference),
    })
  }
}
