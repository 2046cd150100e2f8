import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { amountOf, numberOrTextParam, rpcParam } from '../typed-parameter.ts'

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
  DOMAIN_SET_BLOCK_IO_TUNE: ({ dom, disk, params, flags }, { context }) =>
    context.domain(dom).setBlockIoTune(disk, params.map(numberOrTextParam), flags),
  async DOMAIN_GET_BLOCK_IO_TUNE({ dom, disk, nparams, flags }, { context }) {
    // Who has no room asks how many there are.
    const room = nparams === 0 ? undefined : nparams
    const params = (await context.domain(dom).getBlockIoTune(disk, room, flags)).map(rpcParam)
    return { params: room === undefined ? [] : params, nparams: params.length }
  },
  DOMAIN_INJECT_NMI: ({ dom, flags }, { context }) => context.domain(dom).injectNMI(flags),
  DOMAIN_GET_BLOCK_INFO: ({ dom, path, flags }, { context }) => context.domain(dom).getBlockInfo(path, flags),
}
