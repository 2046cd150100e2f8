import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { httpTransport } from '../../src/protocols/wsman/http-transport.ts'
import { TransportError } from '../../src/protocols/wsman/transport.ts'
import { challengeOf } from './ntlm-acceptor.ts'

const RUNS = 500
const TIMEOUT_MS = 60
const CHALLENGE = `WWW-Authenticate: Negotiate ${challengeOf({ time: Buffer.alloc(8) }).toString('base64')}`
const SOAP = 'Content-Type: application/soap+xml'
/** What hosts say, before it is spoiled. */
const ANSWERS = [
  `HTTP/1.1 401 No\r\n${CHALLENGE}\r\nContent-Length: 0\r\n\r\n`,
  `HTTP/1.0 401 No\r\n${CHALLENGE}\r\nContent-Length: 0\r\n\r\n`,
  `HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
  `HTTP/1.1 200 OK\r\n${SOAP}\r\nContent-Length: 4\r\n\r\n<a/>`,
  `HTTP/1.1 200 OK\r\n${SOAP}\r\nKeep-Alive: timeout=0\r\nContent-Length: 4\r\n\r\n<a/>`,
  `HTTP/1.1 200 OK\r\n${SOAP}\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<a/>\r\n0\r\n\r\n`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: multipart/encrypted;boundary=x\r\n\r\n--x\r\n\tContent`,
]

/** An answer of which a piece is replaced by noise, and what becomes of the connection behind it. */
const spoiled = fc.record({
  answer: fc.constantFrom(...ANSWERS),
  at: fc.nat(400),
  cut: fc.nat(12),
  noise: fc.uint8Array({ maxLength: 8 }),
  times: fc.constantFrom(1, 1, 1, 2),
  end: fc.constantFrom('stays', 'ends', 'breaks'),
})

test('whatever a host says, a post is answered or rejected with TransportError, and nothing else happens', async () => {
  const sockets = new Set<Socket>()
  let say: (to: Socket) => void = () => undefined
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('data', () => say(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/wsman`
  const posted = async (auth: 'basic' | 'negotiate') => {
    const transport = httpTransport({
      url,
      auth,
      allowPlainBasic: true,
      user: 'u',
      password: () => 'x',
      connectionsMax: 1,
    })
    const posts = [1, 2].map(number => transport.post(Buffer.from(String(number)), { timeoutMs: TIMEOUT_MS }))
    const outcomes = await Promise.allSettled(posts)
    transport.close()
    return outcomes
  }

  try {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('basic', 'negotiate'),
        spoiled,
        async (auth, { answer, at, cut, noise, ...how }) => {
          const bytes = Buffer.concat([Buffer.from(answer.slice(0, at)), noise, Buffer.from(answer.slice(at + cut))])
          say = socket => {
            for (let time = 0; time < how.times; time++) socket.write(bytes)
            if (how.end === 'ends') socket.end()
            if (how.end === 'breaks') socket.destroy()
          }

          for (const outcome of await posted(auth)) {
            if (outcome.status === 'rejected')
              assert.ok(outcome.reason instanceof TransportError, String(outcome.reason))
          }
        },
      ),
      { numRuns: RUNS },
    )
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})
