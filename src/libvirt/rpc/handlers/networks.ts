import type { Handlers, RpcNetwork } from '../../../protocols/libvirt-rpc/index.ts'
import { Network } from '../../network.ts'
import type { Client } from '../client.ts'
import { LateEvents } from '../late-events.ts'
import { bit } from '../wire.ts'

/** The network that a client names; whether there is one shows when something is asked of it. */
const named = (client: Client, { uuid, name }: RpcNetwork): Network => new Network(client.host, { id: uuid, name })

/** A network as the wire names it. */
const rpcNetwork = (network: Network): RpcNetwork => ({ name: network.getName(), uuid: network.getUUIDString() })

/** Networks: finding them, describing them, their life, and what guests are given by DHCP. */
export const networkHandlers: Handlers<Client> = {
  CONNECT_NUM_OF_NETWORKS: async (_, { context }) => ({ num: await context.connection.numOfNetworks() }),
  CONNECT_LIST_NETWORKS: async ({ maxnames }, { context }) => ({
    names: await context.connection.listNetworks(maxnames),
  }),
  CONNECT_NUM_OF_DEFINED_NETWORKS: async (_, { context }) => ({ num: await context.connection.numOfDefinedNetworks() }),
  CONNECT_LIST_DEFINED_NETWORKS: async ({ maxnames }, { context }) => ({
    names: await context.connection.listDefinedNetworks(maxnames),
  }),
  async CONNECT_LIST_ALL_NETWORKS({ need_results, flags }, { context }) {
    const networks = await context.connection.listAllNetworks(flags)
    return { nets: need_results === 0 ? [] : networks.map(rpcNetwork), ret: networks.length }
  },
  NETWORK_LOOKUP_BY_NAME: async ({ name }, { context }) => ({
    net: rpcNetwork(await context.connection.networkLookupByName(name)),
  }),
  NETWORK_LOOKUP_BY_UUID: async ({ uuid }, { context }) => ({
    net: rpcNetwork(await context.connection.networkLookupByUUID(uuid)),
  }),
  NETWORK_DEFINE_XML: async ({ xml }, { context }) => ({
    net: rpcNetwork(await context.connection.networkDefineXML(xml)),
  }),
  NETWORK_DEFINE_XML_FLAGS: async ({ xml, flags }, { context }) => ({
    net: rpcNetwork(await context.connection.networkDefineXMLFlags(xml, flags)),
  }),
  NETWORK_CREATE_XML: async ({ xml }, { context }) => ({
    net: rpcNetwork(await context.connection.networkCreateXML(xml)),
  }),
  NETWORK_CREATE_XML_FLAGS: async ({ xml, flags }, { context }) => ({
    net: rpcNetwork(await context.connection.networkCreateXMLFlags(xml, flags)),
  }),
  NETWORK_CREATE: ({ net }, { context }) => named(context, net).create(),
  NETWORK_DESTROY: ({ net }, { context }) => named(context, net).destroy(),
  NETWORK_UNDEFINE: ({ net }, { context }) => named(context, net).undefine(),
  NETWORK_GET_XML_DESC: async ({ net, flags }, { context }) => ({ xml: await named(context, net).getXMLDesc(flags) }),
  NETWORK_GET_BRIDGE_NAME: async ({ net }, { context }) => ({ name: await named(context, net).getBridgeName() }),
  NETWORK_GET_AUTOSTART: async ({ net }, { context }) => ({ autostart: bit(await named(context, net).getAutostart()) }),
  NETWORK_SET_AUTOSTART: ({ net, autostart }, { context }) => named(context, net).setAutostart(autostart),
  NETWORK_UPDATE: ({ net, command, section, parentIndex, xml, flags }, { context }) =>
    named(context, net).update(command, section, parentIndex, xml, flags),
  async NETWORK_GET_DHCP_LEASES({ net, mac, need_results, flags }, { context }) {
    const leases = await named(context, net).getDHCPLeases(mac, flags)
    return { leases: need_results === 0 ? [] : leases, ret: leases.length }
  },
  NETWORK_IS_ACTIVE: async ({ net }, { context }) => ({ active: bit(await named(context, net).isActive()) }),
  NETWORK_IS_PERSISTENT: async ({ net }, { context }) => ({
    persistent: bit(await named(context, net).isPersistent()),
  }),
  async CONNECT_NETWORK_EVENT_REGISTER_ANY({ eventID, net }, { context, connection: rpc }) {
    const which = net === null ? null : named(context, net)
    const late = new LateEvents<{ net: RpcNetwork; event: number; detail: number }>(() => rpc.close())
    const tell = (network: Network, event: number, detail: number) =>
      late.push({ net: rpcNetwork(network), event, detail })
    const callbackID = await context.connection.networkEventRegisterAny(which, eventID, tell)
    late.openAfterAnswer(told => rpc.emit('NETWORK_EVENT_LIFECYCLE', { callbackID, ...told }))
    return { callbackID }
  },
  CONNECT_NETWORK_EVENT_DEREGISTER_ANY: ({ callbackID }, { context }) =>
    context.connection.networkEventDeregisterAny(callbackID),
}
