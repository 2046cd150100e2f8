import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'

/** Looking at guests, and pressing keys for them. */
export const screenHandlers: Handlers<Client> = {
  async DOMAIN_SCREENSHOT({ dom, screen, flags }, { context, stream }) {
    const { mimeType, data } = await context.domain(dom).screenshot(screen, flags)
    stream(remote => remote.write(data))
    return { mime: mimeType }
  },
  DOMAIN_SEND_KEY: ({ dom, codeset, holdtime, keycodes, flags }, { context }) =>
    context.domain(dom).sendKey(codeset, holdtime, keycodes, flags),
}
