import type { Handlers } from '../../../protocols/libvirt-rpc/index.ts'
import type { Client } from '../client.ts'
import { bit } from '../wire.ts'

/** Source: libvirt, src/libvirt_internal.h (VIR_DRV_FEATURE_). */
const FD_PASSING = 8
/** Clients that are not told so pass no texts among parameters, and let themselves be told none. */
const TYPED_PARAM_STRING = 9
const PROGRAM_KEEPALIVE = 10
const REMOTE_EVENT_CALLBACK = 14
const REMOTE_CLOSE_CALLBACK = 15
/** Clients that are not told so exchange two arguments of virNetworkUpdate. Source: libvirt, src/libvirt-network.c. */
const NETWORK_UPDATE_HAS_CORRECT_ORDER = 16
const FEATURES: ReadonlySet<number> = new Set([
  TYPED_PARAM_STRING,
  PROGRAM_KEEPALIVE,
  REMOTE_EVENT_CALLBACK,
  REMOTE_CLOSE_CALLBACK,
  NETWORK_UPDATE_HAS_CORRECT_ORDER,
])

/** Source: libvirt, include/libvirt/libvirt-host.h (virConnectFlags). */
const VIR_CONNECT_RO = 1

/** Opening a host, and what it is. */
export const connectionHandlers: Handlers<Client> = {
  async CONNECT_OPEN({ name, flags }, { context, connection }) {
    if ((flags & VIR_CONNECT_RO) !== 0) connection.restrict()
    await context.open(name, connection)
  },
  CONNECT_CLOSE: (_, { context }) => context.close(),
  async CONNECT_SUPPORTS_FEATURE({ feature }, { connection }) {
    if (feature === PROGRAM_KEEPALIVE) connection.startKeepAlive()
    if (feature === FD_PASSING) return { supported: bit(await connection.carriesSockets()) }
    return { supported: bit(FEATURES.has(feature)) }
  },
  CONNECT_GET_TYPE: async (_, { context }) => ({ type: await context.connection.getType() }),
  CONNECT_GET_VERSION: async (_, { context }) => ({ hv_ver: BigInt(await context.connection.getVersion()) }),
  CONNECT_GET_LIB_VERSION: async (_, { context }) => ({ lib_ver: BigInt(await context.connection.getLibVersion()) }),
  CONNECT_GET_HOSTNAME: async (_, { context }) => ({ hostname: await context.connection.getHostname() }),
  CONNECT_GET_URI: async (_, { context }) => ({ uri: await context.connection.getURI() }),
  CONNECT_GET_CAPABILITIES: async (_, { context }) => ({ capabilities: await context.connection.getCapabilities() }),
  CONNECT_GET_MAX_VCPUS: async ({ type }, { context }) => ({
    max_vcpus: await context.connection.getMaxVcpus(type ?? undefined),
  }),
  CONNECT_IS_SECURE: async (_, { context }) => ({ secure: bit(await context.connection.isSecure()) }),
}
