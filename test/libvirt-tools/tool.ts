import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import type { Outcome } from '../support/command.ts'

/** How a tool is run. */
export interface ToolOptions {
  readonly input?: string
  /** Variables of its environment, beside those that it needs. */
  readonly env?: Readonly<Record<string, string>>
  /** How long it may take, in milliseconds; then it is ended, and its code is null. */
  readonly ms?: number
}

const TOOL_MS = 30_000

/** Runs a tool in English to its end. Its home is a folder that goes with the test, so that nobody's settings count. */
export async function runTool(
  command: string,
  args: readonly string[],
  home: string,
  { input = '', env = {}, ms = TOOL_MS }: ToolOptions = {},
): Promise<Outcome> {
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', HOME: home, PYTHONDONTWRITEBYTECODE: '1', ...env },
    stdio: 'pipe',
    timeout: ms,
    killSignal: 'SIGKILL',
  })
  child.stdin.on('error', () => undefined) // It may well end before it has read everything.
  child.stdin.end(input)
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), closed])
  return { code: child.exitCode, stdout, stderr }
}

/** The path of a program beside this file. */
export const programNamed = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** What a tool printed that did what it was told, and had nothing to complain of. */
export async function printed(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
  return stdout
}

/** What a tool complained of that did not do what it was told, without the newline at its end. */
export async function refused(outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome
  assert.equal(code, 1, `it was to be refused, but ended with ${code}: ${stdout}${stderr}`)
  return stderr.trimEnd()
}
