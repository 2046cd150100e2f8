import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

const SCRIPT = join(import.meta.dirname, 'ntlm-peer.py')
// Debian's own: only that has the bindings of Debian's GSSAPI.
const PYTHON = '/usr/bin/python3'

/** Bytes are in hex. */
export interface PeerAnswer {
  readonly error?: string
  readonly token?: string | null
  readonly isComplete?: boolean
  readonly message?: string
  readonly isEncrypted?: boolean
  readonly header?: string
  readonly data?: string
  readonly name?: string
}

/** The acceptor in Python: what is asked of it, and what it answers. */
export class GssPeer implements Disposable {
  readonly #process: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #interface: Interface

  constructor(environment: Readonly<Record<string, string>>) {
    this.#process = spawn(PYTHON, [SCRIPT], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const { stdout } = this.#process
    if (stdout === null) throw new Error('the peer has no output')
    this.#interface = createInterface({ input: stdout })
    this.#lines = this.#interface[Symbol.asyncIterator]()
  }

  /** Rejects with the peer's own words where it refuses. */
  async ask(what: string, request: Readonly<Record<string, unknown>> = {}): Promise<PeerAnswer> {
    this.#process.stdin?.write(`${JSON.stringify({ do: what, ...request })}\n`)
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error(`the peer ended at ${what}`)
    const answer: PeerAnswer = JSON.parse(value)
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  /** Gives it a token; its own, where it has one to say. */
  async accept(token: Uint8Array): Promise<Uint8Array | undefined> {
    const { token: answer } = await this.ask('accept', { token: hex(token) })
    return answer === null || answer === undefined ? undefined : bytes(answer)
  }

  async unwrap({ signature, data }: { signature: Uint8Array; data: Uint8Array }): Promise<string> {
    const { message } = await this.ask('unwrap', { message: hex(signature) + hex(data) })
    return bytes(message ?? '').toString('utf8')
  }

  /** A message of the peer, cut after as many bytes as its signature has. */
  async wrap(message: string, signatureBytes: number): Promise<{ signature: Buffer; data: Buffer }> {
    const answer = await this.ask('wrap', { message: hex(Buffer.from(message, 'utf8')) })
    const sealed = bytes(answer.message ?? '')
    return { signature: sealed.subarray(0, signatureBytes), data: sealed.subarray(signatureBytes) }
  }

  [Symbol.dispose](): void {
    this.#interface.close()
    this.#process.kill()
  }

  async end(): Promise<void> {
    this.#process.stdin?.end()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }
}

export function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}

export function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
}
