import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'

/** Plugging devices of domains, and what lies in them. */
export const domainDeviceHandlers: Handlers<Client> = {
  DOMAIN_ATTACH_DEVICE: ({ dom, xml }, { context }) => context.domain(dom).attachDevice(xml),
  DOMAIN_ATTACH_DEVICE_FLAGS: ({ dom, xml, flags }, { context }) => context.domain(dom).attachDeviceFlags(xml, flags),
  DOMAIN_DETACH_DEVICE: ({ dom, xml }, { context }) => context.domain(dom).detachDevice(xml),
  DOMAIN_DETACH_DEVICE_FLAGS: ({ dom, xml, flags }, { context }) => context.domain(dom).detachDeviceFlags(xml, flags),
  DOMAIN_UPDATE_DEVICE_FLAGS: ({ dom, xml, flags }, { context }) => context.domain(dom).updateDeviceFlags(xml, flags),
  DOMAIN_GET_BLOCK_INFO: ({ dom, path, flags }, { context }) => context.domain(dom).getBlockInfo(path, flags),
}
