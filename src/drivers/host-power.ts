import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectOptions, DriverError, type PowerOps } from './driver.ts'

/** How long a program may take to say that the machine will go down. */
const ANSWER_MS_MAX = 30_000

/** How much of what it complains of is told, and how long is waited for it after its end. */
const COMPLAINT_MS_MAX = 1000
const COMPLAINT_CHARS_MAX = 500

/**
 * The power of the machine, through the operator's own programs; nothing where the operator allows none. `around` is
 * what the driver puts round each of its operations.
 */
export function hostPowerOps(
  programs: ConnectOptions['hostPower'],
  around: (operation: keyof PowerOps, run: () => Promise<void>) => Promise<void>,
): PowerOps | undefined {
  if (programs === undefined) return undefined
  return {
    shutdown: () => around('shutdown', () => runProgram(programs.shutdown)),
    reboot: () => around('reboot', () => runProgram(programs.reboot)),
  }
}

/** Runs a program without a shell, and is `refused` where it cannot be run, fails or does not end. */
async function runProgram([program = '', ...args]: readonly string[]): Promise<void> {
  if (program === '') throw new DriverError('refused', 'no program is configured for this')
  const signal = AbortSignal.timeout(ANSWER_MS_MAX)
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], signal })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, COMPLAINT_CHARS_MAX)
  })
  const closed = once(child, 'close')
  closed.catch(() => {}) // The same error is told by the end of the program.
  const [code, killer] = await once(child, 'exit').catch((cause: unknown) => {
    throw new DriverError('refused', `${program} could not be run to its end`, { cause })
  })
  if (code !== 0) await Promise.race([closed.catch(() => {}), sleep(COMPLAINT_MS_MAX, undefined, { ref: false })])
  // It may have left another program behind that holds on to its output.
  child.stderr.destroy()
  if (code === 0) return
  throw new DriverError('refused', `${program} ended with ${code ?? killer}: ${complaint.trim()}`)
}
