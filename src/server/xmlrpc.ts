import type { Answer, Call, Engine } from '../engine/engine.ts'
import { type Dialect, dialects, draft } from '../engine/dialect.ts'
import { documentType } from '../engine/dtd.ts'
import { LOCAL_ADDRESS } from '../engine/sessions.ts'
import { decodeCall } from '../wire/xmlrpc/decode.ts'
import { encodeFault, encodeResponseText } from '../wire/xmlrpc/encode.ts'
import { FAULT, type WireValue, type XmlRpcCall, XmlRpcError } from '../wire/xmlrpc/value.ts'
import type { ApiReply, ApiRequest, Handle } from './request.ts'

/** Makes the XML-RPC face of an engine: any POST, at any path, is a call; `/0.2` chooses the dialect by its name. */
export function xmlRpcFace(engine: Engine): Handle {
  const listMethods = { Status: 'Success', Value: engine.methods }
  return request => {
    if (request.method !== 'POST') return aboutThisPlace(request)
    const dialect = dialectOf(request)
    if (dialect === undefined) return text(404, `No dialect is spoken at ${request.path}; post to / or /0.2.\n`)
    let call: XmlRpcCall
    try {
      call = decodeCall(request.body)
    } catch (error) {
      if (!(error instanceof XmlRpcError)) throw error
      return xml(encodeFault(error.code, error.message, dialect.codec))
    }
    if (call.method === 'system.listMethods') return xml(encodeResponseText(listMethods, dialect.codec))
    const outcome = engine.call(new PostedCall(call, request, dialect))
    return outcome instanceof Promise ? outcome.then(answer => reply(answer, dialect)) : reply(outcome, dialect)
  }
}

function reply(outcome: Answer, dialect: Dialect): ApiReply {
  // The order of the members is the draft's. Source: Xen Management API rev 0.2, §1.3.1.
  const struct: WireValue = outcome.ok
    ? { Status: 'Success', Value: outcome.value }
    : { Status: 'Failure', ErrorDescription: outcome.error }
  try {
    return xml(encodeResponseText(struct, dialect.codec))
  } catch (error) {
    if (!(error instanceof XmlRpcError)) throw error
    return xml(encodeFault(FAULT.internalError, error.message, dialect.codec))
  }
}

/** A call that was posted. A class, for a getter in an object literal would give every call a shape of its own. */
class PostedCall implements Call {
  readonly method: string
  readonly params: readonly WireValue[]
  readonly dialect: Dialect
  readonly address: string
  readonly #request: ApiRequest

  constructor(call: XmlRpcCall, request: ApiRequest, dialect: Dialect) {
    this.method = call.method
    this.params = call.params
    this.dialect = dialect
    this.address = request.transport === 'unix' ? LOCAL_ADDRESS : request.remoteAddress
    this.#request = request
  }

  /** Made by the request when it is first asked for; most calls never ask. */
  get signal(): AbortSignal {
    return this.#request.signal
  }
}

/** A path that is a dialect's name chooses it; one that looks like a name and is none is refused. */
function dialectOf({ path, dialect }: ApiRequest): Dialect | undefined {
  const named = /^\/(\d[\d.]*)\/?$/.exec(path)?.[1]
  return named === undefined ? (dialects[dialect] ?? draft) : dialects[named]
}

function aboutThisPlace({ path }: ApiRequest): ApiReply {
  const [, className] = /^\/dtd(?:\/([^/]+))?$/.exec(path) ?? []
  const document = path === '/dtd' || className !== undefined ? documentType(className) : undefined
  if (document !== undefined) return { status: 200, contentType: 'application/xml-dtd; charset=utf-8', body: document }
  if (path.startsWith('/console/')) {
    return { ...text(426, 'Consoles are WebSockets.\n'), headers: { Upgrade: 'websocket', Connection: 'Upgrade' } }
  }
  if (path !== '/') return text(404, 'There is nothing here. XML-RPC calls are posted to /.\n')
  return text(200, 'Polyvisor. XML-RPC calls of the Xen Management API are posted here.\n')
}

const xml = (body: Buffer | string): ApiReply => ({
  status: 200,
  contentType: 'text/xml; charset=utf-8',
  body,
  isForProgram: true,
})
const text = (status: number, body: string): ApiReply => ({ status, contentType: 'text/plain; charset=utf-8', body })
