import { createServer } from 'node:http'

import { parseListener } from '../src/server/listener.ts'
import { startServer } from '../src/server/server.ts'

/**
 * A child of `bench/http.ts`: `node bench/echo-server.ts bare|server BYTES` answers every request with a constant of
 * BYTES bytes. `bare` is node:http and nothing else, the measure; `server` is src/server with a handler that does
 * nothing. Prints its URL and ends when its standard input does.
 */
const [kind, bytes] = process.argv.slice(2)
const body = 'x'.repeat(Number(bytes))

if (kind === 'bare') {
  const server = createServer((request, response) => {
    // Whoever answers a call has read it.
    request.on('data', () => undefined)
    request.on('end', () => {
      response.writeHead(200, { 'Content-Type': 'text/xml', 'Content-Length': body.length })
      response.end(body)
    })
  })
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (typeof address === 'object' && address !== null) console.log(`http://127.0.0.1:${address.port}`)
  })
} else {
  const silent = { info() {}, warn() {}, error() {} }
  const server = await startServer({
    listeners: [parseListener('http://127.0.0.1:0', { allowPlainHttp: false })],
    handle: async () => ({ status: 200, contentType: 'text/xml', body }),
    log: silent,
    dataDir: '.',
  })
  console.log(server.addresses[0]?.url)
}

process.stdin.resume()
process.stdin.once('end', () => process.exit())
