import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Session as Inspector } from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { drivers } from '../src/drivers/registry.ts'
import { Engine } from '../src/engine/engine.ts'
import { ensureFirstUser } from '../src/engine/first-user.ts'
import { Hosts } from '../src/engine/hosts.ts'
import { Locks } from '../src/engine/locks.ts'
import { Paths } from '../src/engine/paths.ts'
import { Sessions } from '../src/engine/sessions.ts'
import { Tasks } from '../src/engine/tasks.ts'
import { implementations } from '../src/handlers/index.ts'
import { storedClasses } from '../src/model/index.ts'
import { parseListener } from '../src/server/listener.ts'
import { startServer } from '../src/server/server.ts'
import { xmlRpcFace } from '../src/server/xmlrpc.ts'
import { memoryLog } from '../src/store/memory-log.ts'
import { openStore } from '../src/store/open.ts'
import { ApiClient } from './support/client.ts'
import { bootableVm, bootImages, endGuests } from './support/machine.ts'

const ROOT = join(import.meta.dirname, '..')
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

test('one VM.start goes through every room of the walk in ARCHITECTURE.md', async () => {
  const steps = await walk()
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-walk-'))
  const house = await build(folder)
  const client = new ApiClient(house.endpoint)
  try {
    const session = await client.login('root', 'walk')
    const [vdi = ''] = await bootImages(session, join(folder, 'images'), 1)
    const vm = await bootableVm(session, 'walker', vdi)

    const visited = await filesVisited(() => session.ok('VM.do_start', vm, false))

    assert.ok(steps.length >= 11, 'the walk has its steps')
    for (const { step, places } of steps) {
      for (const place of places) {
        assert.ok(existsSync(join(ROOT, 'src', place)), `${step} names src/${place}, which is not there`)
        assert.ok(
          visited.some(file => isWithin(file, place)),
          `${step}: nothing in src/${place} was called`,
        )
      }
    }
    await session.ok('VM.hard_shutdown', vm)
  } finally {
    client.close()
    await house.close()
    await endGuests(folder)
    await rm(folder, { recursive: true, force: true })
  }
})

/** A step of the walk, and the files and folders below src/ that it names. */
interface Step {
  readonly step: string
  readonly places: readonly string[]
}

/** `engine/tasks.ts` is left out: the walk is that of a call that waits. */
const ASIDE = ['engine/tasks.ts']

async function walk(): Promise<readonly Step[]> {
  const text = await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8')
  const section = /## The path of one `VM\.start`\n(.*?)\n## /s.exec(text)?.[1] ?? ''
  return section
    .split(/\n(?=\d+\. )/)
    .slice(1)
    .map(step => {
      let folder = ''
      const places = [...step.matchAll(/`([\w/-]+(?:\.ts)?)`/g)].flatMap(([, name = '']) => {
        const isPlace = name.endsWith('.ts') || /^(store|drivers|protocols)(\/|$)/.test(name)
        if (!isPlace) return []
        if (name.includes('/')) folder = name.slice(0, name.lastIndexOf('/') + 1)
        // A file without a folder is in the one that was named before it.
        return name.includes('/') || !name.endsWith('.ts') ? name : folder + name
      })
      return { step: step.slice(0, 60), places: places.filter(place => !ASIDE.includes(place)) }
    })
}

const isWithin = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`)

/** The files below src/ of which a function was called meanwhile. */
async function filesVisited(act: () => Promise<unknown>): Promise<readonly string[]> {
  const inspector = new Inspector()
  inspector.connect()
  try {
    await inspector.post('Profiler.enable')
    await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    await act()
    const { result } = await inspector.post('Profiler.takePreciseCoverage')
    const base = `file://${ROOT}/src/`
    return result
      .filter(({ functions }) =>
        functions.some(({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0),
      )
      .flatMap(({ url }) => (url.startsWith(base) ? url.slice(base.length) : []))
  } finally {
    inspector.disconnect()
  }
}

/** The rooms put together in this process, with real QEMU. */
async function build(folder: string) {
  const store = await openStore({ classes: storedClasses, log: memoryLog() })
  const connect = async (uri: URL) => {
    const open = drivers['qemu']
    if (open === undefined) throw new TypeError('there is no driver for QEMU')
    return open({ uri, dataDir: folder, warn: () => undefined })
  }
  const locks = new Locks()
  const hosts = new Hosts({ store, locks, log: quiet, owner: 'test', connect })
  const sessions = new Sessions({ store, now: Date.now })
  const toApiError = (error: unknown): never => {
    throw error
  }
  const tasks = new Tasks({ store, now: Date.now, owner: 'test', toApiError })
  const services = { store, hosts, sessions, tasks, paths: new Paths({ dataDir: '/nonexistent' }), locks }
  await ensureFirstUser(services, 'walk')
  await hosts.add('qemu:///system')
  const engine = new Engine({ services, implementations, log: quiet })
  const listeners = [parseListener('http://127.0.0.1:0', { allowPlainHttp: false })]
  const server = await startServer({ listeners, handle: xmlRpcFace(engine), log: quiet, dataDir: folder })
  const url = new URL(server.addresses[0]?.url ?? '')
  return {
    endpoint: { transport: 'http', host: url.hostname, port: Number(url.port) } as const,
    async close() {
      await server.close(1_000)
      await hosts.close()
      await store.close()
    },
  }
}
