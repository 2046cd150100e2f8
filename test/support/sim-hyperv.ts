import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The account of every simulated host that tests start. */
export const HYPERV_ADMIN = { name: 'Administrator', password: 'P@ssw0rd & <more>' } as const

/** A simulated Hyper-V host in a process of its own. */
export interface SimHyperv {
  readonly pid: number
  /** `http://127.0.0.1:40123`, one for each listener. */
  readonly urls: readonly string[]
  /** The file with the password of HYPERV_ADMIN. */
  readonly passwordFile: string
  /** What it has complained of so far. */
  readonly complaints: () => string
  /** Tells it to stop and resolves with its exit code. */
  readonly stop: () => Promise<number | null>
  /** Ends it as a power cut would. */
  readonly kill: () => Promise<void>
}

const LAUNCHER = fileURLToPath(new URL('../../bin/polyvisor-sim-hyperv.mjs', import.meta.url))
const READY_MS = 20_000
const STOP_MS = 15_000

/** Starts one with these options of its command, on one plain listener unless they name others. */
export async function startSimHyperv(...options: readonly string[]): Promise<SimHyperv> {
  const folder = await mkdtemp(join(tmpdir(), 'polyvisor-hyperv-'))
  const passwordFile = join(folder, 'password')
  await writeFile(passwordFile, `${HYPERV_ADMIN.password}\n`, { mode: 0o600 })
  const listen = options.includes('--listen') ? [] : ['--listen', 'http://127.0.0.1:0']
  const child = spawn(process.execPath, [LAUNCHER, '--password-file', passwordFile, ...listen, ...options], {
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end) // A test that dies leaves nothing running.
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
  const ended = once(child, 'exit').then(async ([code]) => {
    process.off('exit', end)
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    return typeof code === 'number' ? code : null
  })
  const lines = createInterface({ input: child.stdout })
  const line = await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(READY_MS) }).then(([text]) => String(text)),
    ended.then(code => Promise.reject(new Error(`the simulated host ended with ${code}: ${complaints}`))),
  ])
  const stop = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const timer = setTimeout(end, STOP_MS)
    const code = await ended
    clearTimeout(timer)
    return code
  }
  return {
    pid: child.pid ?? 0,
    urls: urlsOf(line),
    passwordFile,
    complaints: () => complaints,
    stop: () => stop('SIGTERM'),
    kill: async () => void (await stop('SIGKILL')),
  }
}

/** Those of the line of JSON with which it says that it serves. */
function urlsOf(line: string): string[] {
  const ready: { readonly ready: boolean; readonly listeners: readonly { readonly url: string }[] } = JSON.parse(line)
  return ready.listeners.map(({ url }) => url)
}
