import { type Handlers, MAXIMA, RpcError } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { amountOf, rpcParam } from '../typed-parameter.ts'

/** What is asked of guests themselves. */
export const guestHandlers: Handlers<Client> = {
  async DOMAIN_INTERFACE_ADDRESSES({ dom, source, flags }, { context }) {
    const ifaces = await context.domain(dom).interfaceAddresses(source, flags)
    assertFit('interfaces', ifaces, MAXIMA.DOMAIN_INTERFACE_MAX)
    for (const { addrs } of ifaces) assertFit('addresses', addrs, MAXIMA.DOMAIN_IP_ADDR_MAX)
    return { ifaces: ifaces.map(({ addrs, ...iface }) => ({ ...iface, addrs: [...addrs] })) }
  },
  DOMAIN_GET_HOSTNAME: async ({ dom, flags }, { context }) => ({
    hostname: await context.domain(dom).getHostname(flags),
  }),
  async DOMAIN_GET_GUEST_INFO({ dom, types, flags }, { context }) {
    const params = await context.domain(dom).getGuestInfo(types, flags)
    assertFit('parameters', params, MAXIMA.DOMAIN_GUEST_INFO_PARAMS_MAX)
    return { params: params.map(rpcParam) }
  },
  async DOMAIN_GET_FSINFO({ dom, flags }, { context }) {
    const all = await context.domain(dom).getFSInfo(flags)
    assertFit('mountpoints in fsinfo', all, MAXIMA.DOMAIN_FSINFO_MAX)
    for (const { devAlias } of all) assertFit('disks in fsinfo', devAlias, MAXIMA.DOMAIN_FSINFO_DISKS_MAX)
    return {
      info: all.map(({ devAlias, ...fileSystem }) => ({ ...fileSystem, dev_aliases: [...devAlias] })),
      ret: all.length,
    }
  },
  DOMAIN_GET_TIME: ({ dom, flags }, { context }) => context.domain(dom).getTime(flags),
  DOMAIN_SET_TIME: ({ dom, seconds, nseconds, flags }, { context }) =>
    context.domain(dom).setTime({ seconds, nseconds }, flags),
  DOMAIN_FSFREEZE: async ({ dom, mountpoints, flags }, { context }) => ({
    filesystems: await context.domain(dom).fsFreeze(mountpoints, flags),
  }),
  DOMAIN_FSTHAW: async ({ dom, mountpoints, flags }, { context }) => ({
    filesystems: await context.domain(dom).fsThaw(mountpoints, flags),
  }),
  DOMAIN_FSTRIM: ({ dom, mountPoint, minimum, flags }, { context }) =>
    context.domain(dom).fsTrim(mountPoint, amountOf(minimum), flags),
}

/** Source: libvirt, include/libvirt/virterror.h. */
const VIR_ERR_RPC = 39

/** Source: libvirt, src/remote/remote_daemon_dispatch.c, which answers so where a guest has more than fits. */
function assertFit(what: string, all: readonly unknown[], max: number): void {
  if (all.length > max) throw new RpcError(VIR_ERR_RPC, `Too many ${what}: ${all.length} for limit ${max}`)
}
