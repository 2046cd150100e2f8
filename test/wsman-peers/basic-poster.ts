import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { HYPERV_ADMIN, type SimHyperv } from '../support/sim-hyperv.ts'
import { readAnswer, type Answer } from './recorded-client.ts'

const ANSWER_MS = 20_000

/** Posts over one connection as openwsman does: with its headers, with Basic, in the clear. */
export class BasicPoster implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #url: string

  constructor(host: SimHyperv) {
    this.#url = `${host.urls[0] ?? ''}/wsman`
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  /** Without a password, without saying who it is. */
  post = async (envelope: string, password: string | null = HYPERV_ADMIN.password): Promise<Answer> => {
    const basic = Buffer.from(`${HYPERV_ADMIN.name}:${password}`).toString('base64')
    const asked = request(this.#url, {
      method: 'POST',
      agent: this.#agent,
      timeout: ANSWER_MS,
      headers: {
        ...(password === null ? {} : { Authorization: `Basic ${basic}` }),
        Accept: '*/*',
        'Content-Type': 'application/soap+xml;charset=UTF-8',
        'User-Agent': 'openwsman 2.2.0',
        'Content-Length': Buffer.byteLength(envelope),
      },
    })
    asked.end(envelope)
    const [status, headers, text] = await new Promise<[number, IncomingHttpHeaders, string]>((resolve, reject) => {
      asked.once('timeout', () => asked.destroy(new Error('no answer')))
      asked.once('error', reject)
      asked.once('response', response => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.once('error', reject)
        response.once('end', () =>
          resolve([response.statusCode ?? 0, response.headers, Buffer.concat(pieces).toString()]),
        )
      })
    })
    return { ...readAnswer(status, text), headers }
  }
}
