import { StateError } from './host/persistence.ts'
import { HELP, OptionError, parseOptions, type SimOptions } from './options.ts'
import { type RunningSim, startSim } from './start.ts'

const ENDED = 0
const FAILED = 1
const MISUSED = 2

/** Runs the command until it is told to end; resolves with its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args)
    if (options === undefined) {
      process.stdout.write(HELP)
      return ENDED
    }
    await serve(options)
    return ENDED
  } catch (error) {
    if (error instanceof OptionError) {
      process.stderr.write(`error: ${error.message}\nhint: --help lists the options\n`)
      return MISUSED
    }
    if (!isForeseen(error)) throw error
    process.stderr.write(`error: ${error.message}\n`)
    return FAILED
  }
}

async function serve(options: SimOptions): Promise<void> {
  const stop = stopSignal()
  const sim = await startSim(options, message => process.stderr.write(`polyvisor-sim-hyperv: ${message}\n`))
  process.stdout.write(`${JSON.stringify(readyLine(options, sim))}\n`)
  await stop
  await sim.close()
}

function readyLine({ stateFile, build, namespaces }: SimOptions, { urls, host }: RunningSim) {
  const listeners = urls.map(url => ({ url }))
  const about = host === undefined ? {} : { name: host.state.name, build, namespaces, state: stateFile ?? null }
  return { ready: true, pid: process.pid, listeners, ...about }
}

function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
}

/** What the system or a file says no to; its message names it. */
function isForeseen(error: unknown): error is Error {
  return error instanceof StateError || (error instanceof Error && 'code' in error && 'syscall' in error)
}
