import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { amountOf } from '../typed-parameter.ts'

/** Plugging devices of domains, and what lies in them. */
export const domainDeviceHandlers: Handlers<Client> = {
  DOMAIN_ATTACH_DEVICE: ({ dom, xml }, { context }) => context.domain(dom).attachDevice(xml),
  DOMAIN_ATTACH_DEVICE_FLAGS: ({ dom, xml, flags }, { context }) => context.domain(dom).attachDeviceFlags(xml, flags),
  DOMAIN_DETACH_DEVICE: ({ dom, xml }, { context }) => context.domain(dom).detachDevice(xml),
  DOMAIN_DETACH_DEVICE_FLAGS: ({ dom, xml, flags }, { context }) => context.domain(dom).detachDeviceFlags(xml, flags),
  DOMAIN_UPDATE_DEVICE_FLAGS: ({ dom, xml, flags }, { context }) => context.domain(dom).updateDeviceFlags(xml, flags),
  DOMAIN_DETACH_DEVICE_ALIAS: ({ dom, alias, flags }, { context }) =>
    context.domain(dom).detachDeviceAlias(alias, flags),
  DOMAIN_BLOCK_RESIZE: ({ dom, disk, size, flags }, { context }) =>
    context.domain(dom).blockResize(disk, amountOf(size), flags),
  DOMAIN_GET_BLOCK_INFO: ({ dom, path, flags }, { context }) => context.domain(dom).getBlockInfo(path, flags),
}
