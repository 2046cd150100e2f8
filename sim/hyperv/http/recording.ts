import { isUtf8 } from 'node:buffer'
import { type FileHandle, open } from 'node:fs/promises'

/** One exchange with a real host, as it goes into the file. */
export interface RecordedExchange {
  /** When the request came in, in ISO 8601. */
  readonly at: string
  /** From then to the whole answer of the host. */
  readonly elapsedMs: number
  /** As whom the client logged on to the proxy; null for an Identify of nobody. */
  readonly user: string | null
  readonly request: RecordedMessage
  /** Absent where the host did not answer; then `failure` says why. */
  readonly response?: RecordedMessage & { readonly status: number }
  readonly failure?: string
}

/** A message in the clear. */
export interface RecordedMessage {
  /** Names and values as they were sent, but for what could be used again. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  /** Whether it travelled sealed. */
  readonly wasSealed: boolean
  readonly body: string
  /** `base64` for what is not UTF-8. */
  readonly encoding: 'utf8' | 'base64'
}

const REDACTED = '(redacted)'
/** Of the value, the name of the scheme may stay. */
const TOKENS = new Set(['authorization', 'www-authenticate', 'proxy-authorization', 'cookie', 'set-cookie'])
/** More is no recording that anybody would read. */
const FILE_BYTES_MAX = 1024 * 1024 * 1024
const OWNER_ONLY = 0o600

/** A message without what could be used again. */
export function recordMessage(rawHeaders: readonly string[], body: Uint8Array, wasSealed: boolean): RecordedMessage {
  const headers = rawHeaders.flatMap((name, index) => {
    return index % 2 === 0 ? [[name, redact(name, rawHeaders[index + 1] ?? '')] as const] : []
  })
  const encoding = isUtf8(body) ? 'utf8' : 'base64'
  return { headers, wasSealed, body: Buffer.from(body).toString(encoding), encoding }
}

function redact(name: string, value: string): string {
  if (!TOKENS.has(name.toLowerCase())) return value
  const [scheme = '', ...secret] = value.split(' ')
  if (name.toLowerCase().endsWith('cookie')) return REDACTED
  return secret.length === 0 || value.startsWith('Basic realm=') ? value : `${scheme} ${REDACTED}`
}

/** A file of exchanges, one in JSON a line; what is in it already stays. */
export class Recording {
  readonly #file: FileHandle
  #bytes: number
  #last: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle, bytes: number) {
    this.#file = file
    this.#bytes = bytes
  }

  /** Rejects where the file cannot be written. Only its owner may read it: it tells much of a host. */
  static async open(path: string): Promise<Recording> {
    const file = await open(path, 'a', OWNER_ONLY)
    return new Recording(file, (await file.stat()).size)
  }

  /** Rejects where it cannot be written, or where the file is full. */
  write(exchange: RecordedExchange): Promise<void> {
    const written = this.#last.then(() => this.#append(`${JSON.stringify(exchange)}\n`))
    this.#last = written.catch(() => undefined)
    return written
  }

  async close(): Promise<void> {
    await this.#last
    await this.#file.close()
  }

  async #append(line: string): Promise<void> {
    this.#bytes += Buffer.byteLength(line)
    if (this.#bytes > FILE_BYTES_MAX) throw new Error(`a recording of more than ${FILE_BYTES_MAX} bytes`)
    await this.#file.appendFile(line)
  }
}
