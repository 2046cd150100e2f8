import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const SCRIPT = join(import.meta.dirname, 'foreign-host.py')
// Debian's own: only that has the bindings of Debian's GSSAPI.
const PYTHON = '/usr/bin/python3'

export interface ForeignHostOptions {
  readonly mechanism: 'ntlm' | 'spnego' | 'kerberos'
  readonly scheme: 'Negotiate' | 'Kerberos'
  readonly machines: number
  /** Items of an answer to Pull, at most. */
  readonly batch: number
  /** The paths of a certificate and its key; without them the host demands sealed messages. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** A host in Python, of which nothing is ours, in a process of its own. */
export class ForeignHost implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #isSecure: boolean
  #port = 0

  constructor(options: ForeignHostOptions, environment: Readonly<Record<string, string>>) {
    this.#isSecure = options.tls !== undefined
    this.#process = spawn(PYTHON, [SCRIPT, JSON.stringify(options)], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
  }

  async listen(): Promise<this> {
    const { stdout } = this.#process
    if (stdout === null) throw new Error('the host has no output')
    const [line] = await once(createInterface({ input: stdout }), 'line')
    this.#port = Number(line)
    return this
  }

  get url(): string {
    return `${this.#isSecure ? 'https' : 'http'}://localhost:${this.#port}/wsman`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#process, 'exit')
    this.#process.stdin?.end()
    if (this.#process.exitCode === null) await exit
  }
}
