import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../src/drivers/memory/index.ts'
import { memoryDriver, MemoryHost, type MemoryDriver } from '../../src/drivers/memory/index.ts'
import type { Fault } from '../../src/drivers/memory/faults.ts'
import { Random } from '../../src/drivers/memory/random.ts'
import type { Services } from '../../src/engine/context.ts'
import { draft } from '../../src/engine/dialect.ts'
import { type Answer, Engine } from '../../src/engine/engine.ts'
import { FIRST_USER } from '../../src/engine/first-user.ts'
import { Hosts } from '../../src/engine/hosts.ts'
import { Locks } from '../../src/engine/locks.ts'
import { Paths } from '../../src/engine/paths.ts'
import { Sessions } from '../../src/engine/sessions.ts'
import { Tasks } from '../../src/engine/tasks.ts'
import { implementations } from '../../src/handlers/index.ts'
import { ensureRepository } from '../../src/handlers/repository.ts'
import { crashTreatment } from '../../src/handlers/vm-crash.ts'
import { ApiError } from '../../src/model/kernel/error.ts'
import { newRecord } from '../../src/model/kernel/operations.ts'
import { storedClasses, user } from '../../src/model/index.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import { isArray, type WireValue } from '../../src/wire/xmlrpc/value.ts'
import { type FaultyLog, faultyLog } from '../store/faulty-log.ts'

/** Where a fault is to come: at the call of this number, counted from `watch`, to whichever host. */
export interface LabFault extends Fault {
  readonly at: number
  /** So does every call after it. */
  readonly forLong?: true
}

/** Hosts in memory under an engine, with every step between them counted and open to disturbance. */
export interface Lab {
  readonly services: Services
  readonly log: FaultyLog
  /** What the engine logged as an error. */
  readonly logged: readonly string[]
  readonly call: (method: string, ...params: readonly WireValue[]) => Promise<Answer>
  readonly ok: (method: string, ...params: readonly WireValue[]) => Promise<WireValue>
  readonly text: (method: string, ...params: readonly WireValue[]) => Promise<string>
  readonly list: (method: string, ...params: readonly WireValue[]) => Promise<readonly string[]>
  /** Drivers that reach the hosts without passing the faults, by the name of the host. */
  readonly eye: (host: string) => MemoryDriver
  /** Counts calls from now on, and lets one of them fail. */
  readonly watch: (fault?: LabFault) => void
  /** From now on this share of all calls fails, 0 to 1, as `seed` decides. */
  readonly shake: (rate: number, seed: number) => void
  /** The calls since `watch`; no fault comes any more. */
  readonly calls: () => readonly string[]
  readonly close: () => Promise<void>
}

/** How a lab differs from an ordinary one. */
export interface LabOptions {
  /** What they are called; `far…` are other machines, which keep what is on them. */
  readonly hosts?: readonly string[]
  readonly seed?: number
  readonly faultRate?: number
  readonly latencyMs?: number
  readonly clock?: Clock
  readonly shutdownMs?: number
}

/** Guests of a lab live this much faster. */
const HASTE = 10
const SECRET = 'the secret of the lab'

/** The time of the machine, in a hurry. */
export const hastyClock: Clock = {
  nowMs: () => performance.now() * HASTE,
  after(delayMs, run, { awaited } = { awaited: false }) {
    const timer = setTimeout(run, delayMs / HASTE)
    if (!awaited) timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Makes a lab with connected hosts, each with a first repository. */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { hosts: names = ['one'], clock = hastyClock, shutdownMs = 2_000, ...rest } = options
  const machines = new Map<string, MemoryHost>()
  const machineOf = (name: string) => {
    const machine = machines.get(name) ?? new MemoryHost({ name, clock })
    machines.set(name, machine)
    return machine
  }
  const watcher = watchCalls()
  const connect = async (uri: URL) => {
    const driver = memoryDriver({ host: machineOf(uri.pathname.slice(1)), ...rest })
    watcher.attach(driver)
    return uri.pathname.startsWith('/far') ? { ...driver, host: { ...driver.host, isRemote: true } } : driver
  }
  const logged: string[] = []
  const quiet = () => undefined
  const error = (details: object, message: string) => void logged.push(`${message} ${JSON.stringify(details)}`)
  const log = { debug: quiet, info: quiet, warn: quiet, error }
  const disk = faultyLog(memoryLog())
  const store = await openStore({ classes: storedClasses, log: disk })
  let treat: (vm: string) => void = quiet
  const locks = new Locks()
  const hosts = new Hosts({ store, locks, log, owner: 'lab', connect, shutdownMs, onCrashed: vm => treat(vm) })
  const sessions = new Sessions({ store, now: Date.now, localSecret: SECRET })
  const toApiError = (failure: unknown) => {
    if (failure instanceof ApiError) return failure
    throw failure
  }
  const tasks = new Tasks({ store, now: Date.now, owner: 'lab', toApiError })
  const paths = new Paths({ dataDir: '/nonexistent' })
  const services: Services = { store, hosts, sessions, tasks, paths, locks }
  treat = crashTreatment(services, log)
  const root = newRecord(user, { uuid: randomUUID(), short_name: FIRST_USER, administrator: true })
  await store.transact(transaction => transaction.insert(user, root))
  const engine = new Engine({ services, implementations, log })
  for (const name of names) await ensureRepository(services, await hosts.add(`memory:///${name}`))
  const session = await sessions.login(FIRST_USER, SECRET, 'local')
  const eyes = new Map<string, MemoryDriver>()
  return {
    services,
    log: disk,
    logged,
    ...callers(engine, session),
    eye(host) {
      const eye = eyes.get(host) ?? memoryDriver({ host: machineOf(host) })
      eyes.set(host, eye)
      return eye
    },
    watch: fault => watcher.watch(fault),
    calls: () => watcher.calls(),
    shake: (rate, seed) => watcher.shake(rate, seed),
    async close() {
      await hosts.close()
      await store.close()
      for (const eye of eyes.values()) await eye.close()
    },
  }
}

/** Counts the calls of all drivers of a lab together. */
function watchCalls() {
  let made: string[] = []
  let planned: LabFault | undefined
  let shaken: (() => Fault | null) | undefined
  return {
    shake(rate: number, seed: number): void {
      const random = new Random(`shaken ${seed}`)
      const kinds = ['unreachable', 'refused'] as const
      const fault = () => ({ kind: random.pick(kinds), when: random.pick(['before', 'after'] as const) })
      shaken = rate === 0 ? undefined : () => (random.next() < rate ? fault() : null)
    },
    watch(fault?: LabFault): void {
      made = []
      planned = fault
    },
    calls(): readonly string[] {
      planned = undefined
      return made
    },
    attach(driver: MemoryDriver): void {
      const { faults } = driver
      const next = faults.next.bind(faults)
      faults.next = operation => {
        made.push(operation)
        const due = planned !== undefined && planned.at <= made.length ? planned : undefined
        return due?.at === made.length || due?.forLong === true ? (due ?? null) : (shaken?.() ?? next(operation))
      }
    },
  }
}

function callers(engine: Engine, session: string) {
  const { signal } = new AbortController()
  const call = async (method: string, ...params: readonly WireValue[]) =>
    engine.call({ method, params: [session, ...params], dialect: draft, address: 'local', signal })
  const ok = async (method: string, ...params: readonly WireValue[]): Promise<WireValue> => {
    const answer = await call(method, ...params)
    return answer.ok ? answer.value : assert.fail(`${method} failed: ${answer.error.join(' ')}`)
  }
  const text = async (method: string, ...params: readonly WireValue[]): Promise<string> => {
    const value = await ok(method, ...params)
    return typeof value === 'string' ? value : assert.fail(`${method} answered no text`)
  }
  const list = async (method: string, ...params: readonly WireValue[]): Promise<readonly string[]> => {
    const value = await ok(method, ...params)
    return isArray(value) ? value.map(element => (typeof element === 'string' ? element : '')) : assert.fail(method)
  }
  return { call, ok, text, list }
}
