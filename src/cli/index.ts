import { readFile } from 'node:fs/promises'
import type { Serve } from './context.ts'
import { type Io, processIo } from './io.ts'

export type { Serve, ServeOptions } from './context.ts'

/** What the command line needs of the program around it. */
export interface RunOptions {
  /** Starts a server; resolves when it has stopped. */
  readonly serve: Serve
}

/**
 * Runs `polyvisor ARG…` and answers the exit code: 0 done, 1 failed, 2 not understood, 130 interrupted. Never rejects;
 * what went wrong is told on standard error.
 */
export async function run(argv: readonly string[], { serve }: RunOptions): Promise<number> {
  const io = processIo()
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return await printVersion(io)
  // Loaded only now: the parser and the client are most of the time that a start takes.
  const { runCommand } = await import('./run-command.ts')
  return await runCommand(argv, { serve, io, version: await version() })
}

async function printVersion(io: Io): Promise<number> {
  io.stdout.write(`${await version()}\n`)
  return 0
}

async function version(): Promise<string> {
  const manifest: { readonly version: string } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}
