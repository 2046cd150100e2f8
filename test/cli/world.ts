import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export const LAUNCHER = fileURLToPath(new URL('../../bin/polyvisor.mjs', import.meta.url))
/** The password of root, and one that a user may choose. */
export const ROOT_PASSWORD = 'correct horse'
export const OTHER_PASSWORD = 'battery staple'

const READY_MS = 30_000
const COMMAND_MS = 30_000

/** How a command ended and what it said. */
export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** What surrounds a command, beside its arguments. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** A server of its own, and a place in which commands find it as a user's commands would. */
export interface World {
  readonly folder: string
  readonly data: string
  readonly pid: number
  readonly http: string
  readonly https: string
  readonly unix: string
  /** Runs `polyvisor ARG…` to its end. */
  readonly cli: (args: readonly string[], around?: Surroundings) => Promise<Outcome>
  /** Starts `polyvisor ARG…` and lets it run. */
  readonly start: (args: readonly string[], around?: Surroundings) => Running
  /** Ends the server and leaves its data. */
  readonly stop: () => Promise<void>
  readonly close: () => Promise<void>
}

export type Running = ChildProcessByStdio<Writable, Readable, Readable>

/** Starts a server with three halted VMs on a host in its memory; without `listen`, a listener of each kind. */
export async function startWorld(listen?: readonly string[]): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-cli-'))
  const data = join(folder, 'data')
  const unix = `unix://${data}/xenapi.sock`
  const urls = listen ?? ['http://127.0.0.1:0', 'https://127.0.0.1:0', unix]
  const listeners = urls.flatMap(url => ['--listen', url])
  const host = ['--host', 'memory:///lab?vms=3&seed=1']
  const env = { ...process.env, POLYVISOR_ADMIN_PASSWORD: ROOT_PASSWORD, NODE_TEST_CONTEXT: '' }
  const args = [LAUNCHER, 'serve', '--data', data, '--log-level', 'warn', ...listeners, ...host]
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  process.once('exit', () => server.kill('SIGKILL')) // A test that dies leaves nothing running.
  const ready = await readyLine(server.stdout)
  const url = (scheme: string) => ready.listeners.find(listener => listener.url.startsWith(scheme))?.url ?? ''
  const start = (words: readonly string[], { env: more = {} }: Surroundings = {}): Running =>
    spawn(process.execPath, [LAUNCHER, ...words], { stdio: 'pipe', env: { ...environment(folder, data), ...more } })
  const stop = async () => {
    if (server.exitCode !== null) return
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    await ended
  }
  return {
    folder,
    data,
    pid: ready.pid,
    http: url('http:'),
    https: url('https:'),
    unix,
    start,
    cli: async (words, around) => await outcomeOf(start(words, around), around?.input),
    stop,
    async close() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Ready {
  readonly pid: number
  readonly listeners: ReadonlyArray<{ readonly url: string }>
}

/** The line in which a server says that it serves. */
export async function readyLine(stdout: Readable): Promise<Ready> {
  const [line] = await once(createInterface({ input: stdout }), 'line', { signal: AbortSignal.timeout(READY_MS) })
  return JSON.parse(String(line))
}

/** Waits for the end of a command; one that takes too long is ended. */
export async function outcomeOf(child: Running, input = ''): Promise<Outcome> {
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_MS)
  child.stdin.on('error', () => undefined) // It may end before it has read everything.
  child.stdin.end(input)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  clearTimeout(timer)
  return { code: child.exitCode, out, err }
}

/** Nothing of the user who runs the tests. */
const environment = (folder: string, data: string) => ({
  PATH: process.env['PATH'] ?? '',
  HOME: folder,
  XDG_STATE_HOME: join(folder, 'state'),
  POLYVISOR_DATA: data,
})
