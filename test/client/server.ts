import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { encodeResponse } from '../../src/wire/xmlrpc/encode.ts'
import { decodeCall } from '../../src/wire/xmlrpc/decode.ts'
import type { WireValue, XmlRpcCall } from '../../src/wire/xmlrpc/value.ts'
import { atEnd } from '../support/at-end.ts'
import { text } from 'node:stream/consumers'

/** Answers a request in whatever way a test wants a server to. */
export type Answer = (response: ServerResponse, call: XmlRpcCall, request: IncomingMessage) => void

/** A server that answers as it is told to, ends with the test, and remembers the calls it got. */
export interface FakeServer {
  readonly url: string
  readonly calls: readonly XmlRpcCall[]
  /** Connections that were made so far. */
  readonly connections: () => number
}

export async function startFake(context: TestContext, answer: Answer): Promise<FakeServer> {
  const calls: XmlRpcCall[] = []
  let connections = 0
  const server = createServer((request, response) => {
    void text(request).then(body => {
      const call = decodeCall(Buffer.from(body))
      calls.push(call)
      answer(response, call, request)
    })
  })
  server.on('connection', () => (connections += 1))
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  atEnd(context, () => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, calls, connections: () => connections }
}

/** An answer that succeeds with a value. */
export const success =
  (value: WireValue) =>
  (response: ServerResponse): void =>
    void response.end(encodeResponse({ Status: 'Success', Value: value }, 'draft'))

/** An answer that fails with a code and its parameters. */
export const failure =
  (...description: readonly string[]) =>
  (response: ServerResponse): void =>
    void response.end(encodeResponse({ Status: 'Failure', ErrorDescription: description }, 'draft'))
