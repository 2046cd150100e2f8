import { memoryDriver, MemoryHost, type MemoryDriver } from '../../src/drivers/memory/index.ts'
import type { Driver } from '../../src/drivers/driver.ts'
import type { Implementation, Services } from '../../src/engine/context.ts'
import { draft } from '../../src/engine/dialect.ts'
import { type Answer, Engine } from '../../src/engine/engine.ts'
import { ensureFirstUser, FIRST_USER } from '../../src/engine/first-user.ts'
import { Hosts } from '../../src/engine/hosts.ts'
import { Locks } from '../../src/engine/locks.ts'
import { Paths } from '../../src/engine/paths.ts'
import { Sessions } from '../../src/engine/sessions.ts'
import { Tasks } from '../../src/engine/tasks.ts'
import { implementations } from '../../src/handlers/index.ts'
import { fail } from '../../src/model/errors.ts'
import { storedClasses } from '../../src/model/index.ts'
import { memoryLog } from '../../src/store/memory-log.ts'
import { openStore } from '../../src/store/open.ts'
import type { WireValue } from '../../src/wire/xmlrpc/value.ts'

/** An engine in this process, for what cannot be brought about from outside. */
export interface EngineWorld {
  /** A call of the administrator; the session is put in front. */
  readonly call: (method: string, params: readonly WireValue[], signal?: AbortSignal) => Promise<Answer>
  /** What the engine logged as an error. */
  readonly logged: readonly string[]
  /** Moves the clock that sessions are timed by. */
  readonly pass: (ms: number) => void
  /** The driver of the host, to look at it and to disturb it behind the engine's back. */
  readonly driver: MemoryDriver
  readonly services: Services
  readonly close: () => Promise<void>
}

const PASSWORD = 'correct horse'
/** Short, for what is made to fail. */
const SHUTDOWN_MS = 200

/**
 * Makes an engine with this memory host; `replaced` stands in for the implementations of the same classes, and what `adapt`
 * answers for the driver.
 */
export async function startEngine(
  replaced: readonly Implementation[] = [],
  host = new MemoryHost({ name: 'engine' }),
  adapt: (driver: MemoryDriver) => Driver = driver => driver,
): Promise<EngineWorld> {
  const store = await openStore({ classes: storedClasses, log: memoryLog() })
  const logged: string[] = []
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (details: object) => void logged.push(JSON.stringify(details)),
  }
  let nowMs = Date.now()
  const now = () => nowMs
  const driver = memoryDriver({ host })
  // Whoever closed the first connection gets another.
  const connections = [driver]
  const connect = async () => adapt(connections.pop() ?? memoryDriver({ host }))
  const locks = new Locks()
  const hosts = new Hosts({ store, locks, log, owner: 'test', connect, shutdownMs: SHUTDOWN_MS })
  const sessions = new Sessions({ store, now })
  const tasks = new Tasks({ store, now, owner: 'test', toApiError: () => fail('INTERNAL_ERROR', { id: '' }) })
  const paths = new Paths({ dataDir: '/nonexistent' })
  const services = { store, hosts, sessions, tasks, paths, locks }
  const others = implementations.filter(one => !replaced.some(other => other.class === one.class))
  const engine = new Engine({ services, implementations: [...others, ...replaced], log })
  await ensureFirstUser(services, PASSWORD)
  await hosts.add('memory:///engine')
  const session = await sessions.login(FIRST_USER, PASSWORD, 'local')
  return {
    call: async (method, params, signal = new AbortController().signal) =>
      engine.call({ method, params: [session, ...params], dialect: draft, address: 'local', signal }),
    logged,
    driver,
    services,
    pass(ms) {
      nowMs += ms
    },
    async close() {
      await hosts.close()
      await store.close()
    },
  }
}
