import { readFile } from 'node:fs/promises'
import type { Serve } from './context.ts'
import { type Io, processIo } from './io.ts'

export type { Serve, ServeOptions } from './context.ts'

/** What the command line needs of the program around it. */
export interface RunOptions {
  /** Starts a server; resolves when it has stopped. */
  readonly serve: Serve
  /** The package.json of the program, which says its version. */
  readonly manifest: URL
}

/**
 * Runs `polyvisor ARG…` and answers the exit code: 0 done, 1 failed, 2 not understood, 130 interrupted. Never rejects;
 * what went wrong is told on standard error.
 */
export async function run(argv: readonly string[], { serve, manifest }: RunOptions): Promise<number> {
  const io = processIo()
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) return await printVersion(io, manifest)
  // Loaded only now: the parser and the client are most of the time that a start takes.
  const { runCommand } = await import('./run-command.ts')
  return await runCommand(argv, { serve, io, version: await versionIn(manifest) })
}

async function printVersion(io: Io, manifest: URL): Promise<number> {
  io.stdout.write(`${await versionIn(manifest)}\n`)
  return 0
}

async function versionIn(manifest: URL): Promise<string> {
  const { version }: { readonly version: string } = JSON.parse(await readFile(manifest, 'utf8'))
  return version
}
