import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import { VIR_ERR_INVALID_ARG, VIR_ERR_OPERATION_INVALID } from '../../error-numbers.ts'
import { LibvirtError } from '../../errors.ts'
import type { Client } from '../client.ts'
import { rpcParam } from '../typed-parameter.ts'
import { rpcDomain } from '../wire.ts'

/** Of the whole domain. */
const TOTAL = -1
/** CPUs that a client may ask of at once. Source: libvirt, remote_protocol.x, REMOTE_DOMAIN_GET_CPU_STATS_NCPUS_MAX. */
const CPUS_MAX = 128

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
  async DOMAIN_GET_CPU_STATS({ dom, nparams, start_cpu, ncpus, flags }, { context }) {
    const domain = context.domain(dom)
    if (start_cpu === TOTAL && ncpus !== 1) {
      throw new LibvirtError(VIR_ERR_INVALID_ARG, 'ncpus in virDomainGetCPUStats must be 1 when start_cpu is -1')
    }
    if (ncpus > CPUS_MAX) throw new LibvirtError(VIR_ERR_INVALID_ARG, `ncpus too large: ${ncpus}`)
    const told = await domain.getCPUStats(start_cpu, ncpus, flags)
    const most = Math.max(0, ...told.params.map(({ length }) => length))
    // A client asks first how many CPUs there are, and what there is to tell of one.
    if (nparams === 0) return { params: [], nparams: ncpus === 0 ? told.ncpus : most }
    if (most === 0) throw new LibvirtError(VIR_ERR_OPERATION_INVALID, 'the host does not tell on which CPUs it was')
    const room = Math.min(nparams, most)
    return { params: told.params.flatMap(params => params.slice(0, room).map(rpcParam)), nparams: room }
  },
  async DOMAIN_GET_DISK_ERRORS({ dom, maxerrors, flags }, { context }) {
    // A client asks first for how many there is to be room.
    const errors = await context.domain(dom).getDiskErrors(maxerrors === 0 ? undefined : maxerrors, flags)
    return { errors: maxerrors === 0 ? [] : [...errors], nerrors: errors.length }
  },
  DOMAIN_SET_MEMORY_STATS_PERIOD: ({ dom, period, flags }, { context }) =>
    context.domain(dom).setMemoryStatsPeriod(period, flags),
  DOMAIN_MEMORY_STATS: async ({ dom, maxStats, flags }, { context }) => ({
    stats: [...(await context.domain(dom).memoryStats(maxStats, flags))],
  }),
}
