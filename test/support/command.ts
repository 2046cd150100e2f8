import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** What a command left behind. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const COMMAND_MS = 30_000

/** Runs a command to its end with `input` on its standard input. Rejects where there is no such command. */
export async function run(command: string, args: readonly string[], input: string | Uint8Array = ''): Promise<Outcome> {
  const child = spawn(command, args, { stdio: 'pipe', timeout: COMMAND_MS, killSignal: 'SIGKILL' })
  child.stdin.on('error', () => undefined) // It may well end before it has read everything.
  child.stdin.end(input)
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code: child.exitCode, stdout, stderr }
}
