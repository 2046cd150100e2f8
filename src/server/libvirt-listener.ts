import { createServer } from 'node:net'

import type { LibvirtFace } from '../libvirt/rpc/index.ts'
import { type LibvirtListener, urlOf } from './listener.ts'
import type { Opened } from './opened.ts'
import type { Log } from './request.ts'
import { socketPassing } from './socket-passing.ts'
import { listenOnUnixSocket } from './unix-socket.ts'

/** Serves libvirt's clients that come to a listener. Rejects with ConfigurationError where it cannot be listened on. */
export async function openLibvirt(
  listener: LibvirtListener,
  { libvirt, log }: { readonly libvirt?: LibvirtFace; readonly log: Log },
): Promise<Opened> {
  if (libvirt === undefined) throw new TypeError('nobody serves the clients of libvirt')
  const server = createServer(socket => {
    libvirt.accept(socket, { passing: () => socketPassing(socket) })
  })
  const release = await listenOnUnixSocket(server, listener.path)
  server.on('error', error => log.error({ err: error, url: urlOf(listener) }, 'a listener failed'))
  return {
    address: { url: urlOf(listener) },
    async close() {
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      await release()
      libvirt.close()
      await closed
    },
  }
}
