import { type Listening, listen } from '../../../sim/hyperv/http/server.ts'
import type { FrontRequest, ListenOptions } from '../../../sim/hyperv/http/options.ts'
import type { WsmanAnswer } from '../../../sim/hyperv/wsman/exchange.ts'

export const HOST = 'HYPERV1'
export const USER = 'Administrator'
export const PASSWORD = 'Pässwörd 1'
export const SOAP_TYPE = 'application/soap+xml;charset=UTF-8'

/** An envelope whose body holds this. */
export function envelope(body: string): string {
  return `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>${body}</s:Body></s:Envelope>`
}

export const IDENTIFY = envelope(
  '<wsmid:Identify xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/>',
)

/** What asks the service to answer with a fault, to lose the connection, or to take its time until that is gone. */
export const FAULT = envelope('<fault/>')
export const LOST = envelope('<lost/>')
export const SLOW = envelope('<slow/>')

/** A listener whose service answers with what it was asked, and who asks. */
export interface EchoListener extends Listening, AsyncDisposable {
  readonly requests: readonly FrontRequest[]
  /** Those of the host itself; there are to be none. */
  readonly failures: readonly unknown[]
}

export async function listenEcho(options: Partial<ListenOptions> = {}): Promise<EchoListener> {
  const requests: FrontRequest[] = []
  const failures: unknown[] = []
  const listening = await listen({
    hostName: HOST,
    osVersion: { major: 10, minor: 0, build: 20348 },
    accounts: [{ name: USER, password: PASSWORD }],
    service: request => {
      requests.push(request)
      return echo(request)
    },
    onFailure: error => failures.push(error),
    ...options,
  })
  const close = () => listening.close()
  return {
    url: listening.url,
    port: listening.port,
    get load() {
      return listening.load
    },
    close,
    requests,
    failures,
    [Symbol.asyncDispose]: close,
  }
}

async function echo(request: FrontRequest): Promise<WsmanAnswer> {
  const text = Buffer.from(request.envelope).toString('utf8')
  if (text === LOST) return 'lost'
  if (text === SLOW && !request.signal.aborted) {
    await new Promise(resolve => request.signal.addEventListener('abort', resolve, { once: true }))
  }
  const answered = text.replace('<s:Header/>', `<s:Header><user>${request.user ?? 'nobody'}</user></s:Header>`)
  return { status: text === FAULT ? 500 : 200, envelope: Buffer.from(answered, 'utf8') }
}
