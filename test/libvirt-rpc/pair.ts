import { duplexPair, type Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { RpcClient, type RpcClientOptions } from '../../src/protocols/libvirt-rpc/index.ts'
import type { Handlers, RpcServerConnection, ServeOptions } from '../../src/protocols/libvirt-rpc/index.ts'
import { serve } from '../../src/protocols/libvirt-rpc/index.ts'
import { atEnd } from '../support/at-end.ts'

/** Both ends of a connection in this process. */
export interface Pair {
  readonly client: RpcClient
  readonly server: RpcServerConnection
}

/** How the two ends are set up. */
export interface PairOptions extends Partial<ServeOptions<unknown>> {
  readonly client?: RpcClientOptions
}

/** A client and the connection that serves it; they are closed with the test. */
export function pair(context: TestContext, handlers: Handlers, { client: options, ...more }: PairOptions = {}): Pair {
  const [near, far] = duplexPair()
  const server = serve(far, handlers, { context: undefined, ...more })
  const client = new RpcClient(near, options)
  atEnd(context, () => {
    client.close()
    server.close()
  })
  return { client, server }
}

/** A connection that is served, and the bare end of it: for what no client of ours sends. */
export function served(context: TestContext, handlers: Handlers, more: Partial<ServeOptions<unknown>> = {}): Duplex {
  const [near, far] = duplexPair()
  const server = serve(far, handlers, { context: undefined, ...more })
  atEnd(context, () => {
    near.destroy()
    server.close()
  })
  return near
}
