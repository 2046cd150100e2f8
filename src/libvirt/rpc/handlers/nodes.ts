import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'

/** A number by its name, as the wire has those of a node. */
type Field = { readonly field: string; readonly value: bigint }

/** The machine of a host, and what machines it can have. */
export const nodeHandlers: Handlers<Client> = {
  NODE_GET_INFO: async (_, { context }) => {
    const { model, memory, ...rest } = await context.connection.nodeGetInfo()
    return { ...rest, model: shortened(model), memory: BigInt(memory) }
  },
  NODE_GET_FREE_MEMORY: async (_, { context }) => ({ freeMem: await context.connection.nodeGetFreeMemory() }),
  NODE_GET_CELLS_FREE_MEMORY: async ({ startCell, maxcells }, { context }) => ({
    cells: await context.connection.nodeGetCellsFreeMemory(startCell, maxcells),
  }),
  async NODE_GET_MEMORY_STATS({ cellNum, nparams, flags }, { context }) {
    return fields(await context.connection.nodeGetMemoryStats(cellNum, flags), nparams)
  },
  async NODE_GET_CPU_STATS({ cpuNum, nparams, flags }, { context }) {
    return fields(await context.connection.nodeGetCPUStats(cpuNum, flags), nparams)
  },
  async NODE_GET_CPU_MAP({ need_map, need_online, flags }, { context }) {
    const { cpus, map, online } = await context.connection.nodeGetCPUMap(flags)
    return {
      cpumap: need_map === 0 ? new Uint8Array() : bitmap(map),
      online: need_online === 0 ? 0 : online,
      ret: cpus,
    }
  },
  async CONNECT_GET_DOMAIN_CAPABILITIES({ emulatorbin, arch, machine, virttype, flags }, { context }) {
    const said = [emulatorbin, arch, machine, virttype].map(each => each ?? undefined)
    const [program, architecture, board, type] = said
    return {
      capabilities: await context.connection.getDomainCapabilities(program, architecture, board, type, flags),
    }
  },
}

/** Numbers by their names; where a client has no room for any, how many there are. */
function fields(stats: object, room: number): { params: Field[]; nparams: number } {
  const all = Object.entries(stats).map(([field, value]: [string, bigint]) => ({ field, value }))
  return room === 0 ? { params: [], nparams: all.length } : { params: all.slice(0, room), nparams: 0 }
}

/** The wire has room for 32 octets with a zero behind them. Source: libvirt, struct _virNodeInfo. */
const MODEL_BYTES_MAX = 31

/** As much of a name as there is room for. */
function shortened(name: string): string {
  const characters = Array.from(name.slice(0, MODEL_BYTES_MAX))
  while (Buffer.byteLength(characters.join(''), 'utf8') > MODEL_BYTES_MAX) characters.pop()
  return characters.join('').toWellFormed()
}

/** A bit for each, the first one the lowest of the first octet. Source: libvirt, VIR_CPU_USED. */
function bitmap(are: readonly boolean[]): Uint8Array {
  const octets = new Uint8Array(Math.ceil(are.length / 8))
  for (const [index, is] of are.entries()) if (is) octets[index >> 3] = (octets[index >> 3] ?? 0) | (1 << (index & 7))
  return octets
}
