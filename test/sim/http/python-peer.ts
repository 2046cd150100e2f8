import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Debian's own: only that has the modules of Debian's packages. */
const PYTHON = '/usr/bin/python3'

/** MD4 of Python is that of OpenSSL, which loads it only with its legacy provider. */
const LEGACY = `openssl_conf = begin
[begin]
providers = both
[both]
default = on
legacy = on
[on]
activate = 1
`

/** What the machine has its programs trust, or go through, is not for what they do among themselves here. */
const OWN = { REQUESTS_CA_BUNDLE: '', CURL_CA_BUNDLE: '', NO_PROXY: '*', no_proxy: '*' } as const

/** What a program in Python was told, or told. */
export type Fields = Readonly<Record<string, unknown>>

/** A program in Python that is asked for something in each line of JSON, and answers each with one. */
export class PythonPeer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'polyvisor-python-'))
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(script: string, environment: Readonly<Record<string, string>> = {}) {
    const OPENSSL_CONF = join(this.#folder, 'openssl.cnf')
    writeFileSync(OPENSSL_CONF, LEGACY)
    this.#process = spawn(PYTHON, [script], {
      env: { ...process.env, ...OWN, OPENSSL_CONF, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('the program has no output')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** Rejects with the program's own words where it gives up. */
  async ask(what: string, request: Fields = {}): Promise<Fields> {
    this.#process.stdin?.write(`${JSON.stringify({ do: what, ...request })}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`the program ended at ${what}`)
    const answer: Fields = JSON.parse(value)
    if (answer['error'] !== undefined) throw new Error(JSON.stringify(answer['error']))
    return answer
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
