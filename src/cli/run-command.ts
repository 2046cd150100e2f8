import { CommanderError } from 'commander'
import { Context, type Serve } from './context.ts'
import { EXIT, reportOf } from './failure.ts'
import type { Io } from './io.ts'
import { makeProgram } from './program.ts'
import { tree } from './tree.ts'

/** What a command line is run with. */
export interface RunCommandOptions {
  readonly serve: Serve
  readonly io: Io
  readonly version: string
}

/** Runs one command line and answers the exit code. Never rejects. */
export async function runCommand(argv: readonly string[], { serve, io, version }: RunCommandOptions): Promise<number> {
  const program = makeProgram(tree, options => new Context(io, options, serve), version, io)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return EXIT.ok
  } catch (error) {
    // The parser has told already what it did not understand.
    if (error instanceof CommanderError) return isAnswer(error) ? EXIT.ok : EXIT.usage
    const { lines, code } = reportOf(error, (io.env['POLYVISOR_DEBUG'] ?? '') !== '')
    for (const line of lines) io.stderr.write(`${line}\n`)
    return code
  }
}

/** Help and version that were asked for. */
const isAnswer = ({ code }: CommanderError): boolean =>
  code === 'commander.helpDisplayed' || code === 'commander.version'
