import { type Duplex, pipeline } from 'node:stream'
import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'

/** Looking at guests through a socket that the client is passed, so that no port of the host has to be open for it. */
export const graphicsHandlers: Handlers<Client> = {
  async DOMAIN_OPEN_GRAPHICS_FD({ dom, idx, flags }, { context, connection, socket }) {
    const display = await context.domain(dom).openGraphicsFD(idx, flags)
    // Until the client has its end of the socket, the display goes with the client; afterwards with that end.
    const leave = () => display.destroy()
    connection.signal.addEventListener('abort', leave, { once: true })
    try {
      await socket(end => {
        connection.signal.removeEventListener('abort', leave)
        join(display, end)
      })
      if (!connection.isOpen) leave()
    } catch (error) {
      leave()
      throw error
    }
  },
}

/** Carries what either says to the other, until one of them ends. */
function join(display: Duplex, end: Duplex): void {
  pipeline(display, end, display, () => {
    display.destroy()
    end.destroy()
  })
}
