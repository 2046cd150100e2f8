import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const SCRIPT = join(import.meta.dirname, 'foreign-client.py')
/** Debian's own: only that has the bindings of Debian's GSSAPI. */
export const PYTHON = '/usr/bin/python3'

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

/** A folder with a configuration for Python's MD4, and the environment that points there. */
export class LegacyOpenssl implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'polyvisor-openssl-'))
  readonly environment: Readonly<Record<string, string>>

  constructor() {
    const file = join(this.folder, 'openssl.cnf')
    writeFileSync(file, LEGACY)
    this.environment = { OPENSSL_CONF: file }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

type Fields = Readonly<Record<string, unknown>>

/** The client in Python: what is asked of it, and what it answers. */
export class ForeignClient implements AsyncDisposable {
  readonly #openssl = new LegacyOpenssl()
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(environment: Readonly<Record<string, string>> = {}) {
    this.#process = spawn(PYTHON, [SCRIPT], {
      env: { ...process.env, ...this.#openssl.environment, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('the client has no output')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  }

  /** Rejects with the client's own words where it gives up. */
  async ask(what: string, request: Fields = {}): Promise<Fields> {
    this.#process.stdin?.write(`${JSON.stringify({ do: what, ...request })}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`the client ended at ${what}`)
    const answer: Fields = JSON.parse(value)
    if (answer['error'] !== undefined) throw new Error(JSON.stringify(answer['error']))
    return answer
  }

  /** Opens a new connection and logs on over it. */
  async logOn(port: number, logon: Fields, isTls = false): Promise<Fields> {
    await this.ask('open', { port, tls: isTls })
    return this.ask('logon', logon)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.stdin?.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
    this.#openssl[Symbol.dispose]()
  }
}
