import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { GUEST } from '../guests/linux.ts'
import type { Endpoint } from './http.ts'

/** What a server is started with. */
export interface ServerOptions {
  readonly hosts?: readonly string[]
  /** An existing data directory, which then stays; without it a fresh one, which goes with the server. */
  readonly data?: string
  /** A command that runs the server, such as one that bounds what it may use; its own arguments first. */
  readonly wrapper?: readonly string[]
  /** More options of `polyvisor serve`. */
  readonly options?: readonly string[]
  /** How long it may take until it serves, in milliseconds. */
  readonly readyMs?: number
}

/** A server in a process of its own. */
export interface Server {
  readonly pid: number
  readonly data: string
  readonly http: Endpoint
  readonly https: Endpoint
  readonly unix: Endpoint
  /** Of all listeners, in the order in which they were asked for: those three, and then those of the options. */
  readonly urls: readonly URL[]
  /** What it has logged so far. */
  readonly log: () => string
  /** Its resident memory, in bytes. Source: proc(5), VmRSS. */
  readonly residentBytes: () => Promise<number>
  /** Tells it to stop, and resolves with its exit code; its data goes with it unless it was brought along. */
  readonly stop: () => Promise<number | null>
  /** Ends it as a power cut would. */
  readonly kill: () => Promise<void>
}

/** The user that every server has from its first start, and the password that these servers give it. */
export const ADMIN = { name: 'root', password: 'correct horse' } as const

const LAUNCHER = fileURLToPath(new URL('../../bin/polyvisor.mjs', import.meta.url))
const READY_MS = 20_000
const STOP_MS = 15_000

/** Three halted VMs, on a host in the server's own memory. */
const LAB = 'memory:///lab?vms=3&seed=1'

/** Starts a server with one listener of each transport and waits until it says that it serves. */
export async function startServer({
  hosts = [LAB],
  data,
  wrapper = [],
  options: more = [],
  readyMs = READY_MS,
}: ServerOptions = {}): Promise<Server> {
  const folder = data ?? (await mkdtemp(join(tmpdir(), 'polyvisor-test-')))
  const listeners = [
    'http://127.0.0.1:0?dialect=0.2',
    'https://127.0.0.1:0?dialect=0.2',
    `unix://${folder}/x.sock?dialect=0.2`,
  ]
  // Where guests for tests are kept is no place that operators usually open.
  const paths = [tmpdir(), GUEST].flatMap(path => ['--allow-path', path])
  const places = [...listeners.flatMap(url => ['--listen', url]), ...hosts.flatMap(uri => ['--host', uri])]
  const options = [...paths, ...places, ...more]
  const [command = '', ...args] = [...wrapper, process.execPath, LAUNCHER, 'serve', '--data', folder, ...options]
  const child = spawn(command, args, {
    env: { ...process.env, POLYVISOR_ADMIN_PASSWORD: ADMIN.password, NODE_OPTIONS: '', NODE_TEST_CONTEXT: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end) // A test that dies leaves nothing running.
  const log: string[] = []
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => log.push(chunk))
  const gone = async () => {
    process.off('exit', end)
    if (data === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  const urls = await readyLine(child, log, readyMs).catch(async error => {
    await gone()
    throw error
  })
  return {
    pid: child.pid ?? 0,
    data: folder,
    http: tcp(urls, 'http:'),
    https: tcp(urls, 'https:'),
    unix: { transport: 'unix', socketPath: join(folder, 'x.sock') },
    urls,
    log: () => log.join(''),
    residentBytes: () => residentBytes(child.pid ?? 0),
    async stop() {
      const code = await exitOf(child, 'SIGTERM')
      await gone()
      return code
    },
    async kill() {
      await exitOf(child, 'SIGKILL')
      await gone()
    },
  }
}

async function readyLine(child: ChildProcess, log: readonly string[], readyMs: number): Promise<readonly URL[]> {
  if (child.stdout === null) throw new TypeError('the server has no standard output')
  const lines = createInterface({ input: child.stdout })
  const tooLate = AbortSignal.timeout(readyMs)
  try {
    const [line] = await once(lines, 'line', { signal: AbortSignal.any([tooLate, whenEnded(child)]) })
    return listenersOf(JSON.parse(String(line)))
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`the server did not start; it logged:\n${log.join('')}`, { cause: error })
  }
}

/** The URLs in a ready line. */
function listenersOf({ listeners }: { readonly listeners: readonly { readonly url: string }[] }): readonly URL[] {
  return listeners.map(({ url }) => new URL(url))
}

function whenEnded(child: ChildProcess): AbortSignal {
  const ended = new AbortController()
  child.once('exit', () => ended.abort())
  return ended.signal
}

async function exitOf(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit', { signal: AbortSignal.timeout(STOP_MS) })
  child.kill(signal)
  try {
    await exited
  } catch (error) {
    child.kill('SIGKILL')
    throw new Error(`the server does not end by ${signal}`, { cause: error })
  }
  return child.exitCode
}

function tcp(urls: readonly URL[], protocol: 'http:' | 'https:'): Endpoint {
  const url = urls.find(candidate => candidate.protocol === protocol)
  if (url === undefined) throw new TypeError(`no listener for ${protocol} in the ready line`)
  return { transport: protocol === 'http:' ? 'http' : 'https', host: url.hostname, port: Number(url.port) }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}
