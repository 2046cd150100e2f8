import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { rpcParam } from '../typed-parameter.ts'
import { rpcDomain } from '../wire.ts'

/** What guests do, counted. */
export const domainStatisticsHandlers: Handlers<Client> = {
  async CONNECT_GET_ALL_DOMAIN_STATS({ doms, stats, flags }, { context }) {
    const { connection } = context
    const told = await (doms.length === 0
      ? connection.getAllDomainStats(stats, flags)
      : connection.domainListGetStats(
          doms.map(dom => context.domain(dom)),
          stats,
          flags,
        ))
    return { retStats: told.map(({ dom, params }) => ({ dom: rpcDomain(dom), params: params.map(rpcParam) })) }
  },
  async DOMAIN_BLOCK_STATS({ dom, path }, { context }) {
    const { rdReq, rdBytes, wrReq, wrBytes, errs } = await context.domain(dom).blockStats(path)
    return { rd_req: rdReq, rd_bytes: rdBytes, wr_req: wrReq, wr_bytes: wrBytes, errs }
  },
  async DOMAIN_BLOCK_STATS_FLAGS({ dom, path, nparams, flags }, { context }) {
    const params = await context.domain(dom).blockStatsFlags(path, flags)
    // A client asks first how many there are.
    return { params: params.slice(0, Math.max(0, nparams)).map(rpcParam), nparams: params.length }
  },
  async DOMAIN_INTERFACE_STATS({ dom, device }, { context }) {
    const told = await context.domain(dom).interfaceStats(device)
    return {
      rx_bytes: told.rxBytes,
      rx_packets: told.rxPackets,
      rx_errs: told.rxErrs,
      rx_drop: told.rxDrop,
      tx_bytes: told.txBytes,
      tx_packets: told.txPackets,
      tx_errs: told.txErrs,
      tx_drop: told.txDrop,
    }
  },
  DOMAIN_MEMORY_STATS: async ({ dom, maxStats, flags }, { context }) => ({
    stats: [...(await context.domain(dom).memoryStats(maxStats, flags))],
  }),
}
