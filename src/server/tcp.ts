import type { Server } from 'node:net'
import { ConfigurationError } from './configuration-error.ts'

/** Where to listen; port 0 takes a free one. */
export interface TcpPlace {
  readonly host: string
  readonly port: number
}

/** Listens, and answers the port. Rejects with ConfigurationError, which names the listener by its URL and the way out. */
export async function listenOnTcp(server: Server, { host, port }: TcpPlace, url: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => reject(explained(url, error))
    server.once('error', fail)
    server.listen({ host, port }, () => {
      server.off('error', fail)
      resolve()
    })
  })
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

/** Source: listen(2), bind(2), getaddrinfo(3). */
const WAYS_OUT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken; stop the program that has it, or choose another port',
  EADDRNOTAVAIL: 'this machine has no such address; choose one that it has, or 0.0.0.0 for all',
  EACCES: 'this user may not take that port; choose one from 1024 on',
  ENOTFOUND: 'the name is unknown; choose an address of this machine',
}

function explained(url: string, error: NodeJS.ErrnoException): ConfigurationError {
  const wayOut = WAYS_OUT[error.code ?? ''] ?? String(error)
  return new ConfigurationError(`cannot listen on ${url}: ${wayOut}`, { cause: error })
}
