import { array, hyper, int, optional, struct, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { network, networkInterface, nwfilter, text, uuid } from '../types.ts'

const networkDhcpLease = struct({
  iface: text,
  expirytime: hyper,
  type: int,
  mac: optional(text),
  iaid: optional(text),
  ipaddr: text,
  prefix: uint,
  hostname: optional(text),
  clientid: optional(text),
})

/** Networks, the interfaces of a host, and filters. Source: libvirt, src/remote/remote_protocol.x. */
export const networks = {
  CONNECT_LIST_DEFINED_NETWORKS: procedure(36, 'virConnectListDefinedNetworks', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.NETWORK_LIST_MAX) },
    priority: 'high',
  }),
  CONNECT_LIST_NETWORKS: procedure(38, 'virConnectListNetworks', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.NETWORK_LIST_MAX) },
    priority: 'high',
  }),
  NETWORK_CREATE: procedure(39, 'virNetworkCreate', { args: { net: network }, writes: true }),
  NETWORK_CREATE_XML: procedure(40, 'virNetworkCreateXML', {
    args: { xml: text },
    result: { net: network },
    writes: true,
  }),
  NETWORK_DEFINE_XML: procedure(41, 'virNetworkDefineXML', {
    args: { xml: text },
    result: { net: network },
    priority: 'high',
    writes: true,
  }),
  NETWORK_DESTROY: procedure(42, 'virNetworkDestroy', { args: { net: network }, priority: 'high', writes: true }),
  NETWORK_GET_XML_DESC: procedure(43, 'virNetworkGetXMLDesc', {
    args: { net: network, flags: uint },
    result: { xml: text },
    priority: 'high',
  }),
  NETWORK_GET_AUTOSTART: procedure(44, 'virNetworkGetAutostart', {
    args: { net: network },
    result: { autostart: int },
    priority: 'high',
  }),
  NETWORK_GET_BRIDGE_NAME: procedure(45, 'virNetworkGetBridgeName', {
    args: { net: network },
    result: { name: text },
    priority: 'high',
  }),
  NETWORK_LOOKUP_BY_NAME: procedure(46, 'virNetworkLookupByName', {
    args: { name: text },
    result: { net: network },
    priority: 'high',
  }),
  NETWORK_LOOKUP_BY_UUID: procedure(47, 'virNetworkLookupByUUID', {
    args: { uuid: uuid },
    result: { net: network },
    priority: 'high',
  }),
  NETWORK_SET_AUTOSTART: procedure(48, 'virNetworkSetAutostart', {
    args: { net: network, autostart: int },
    priority: 'high',
    writes: true,
  }),
  NETWORK_UNDEFINE: procedure(49, 'virNetworkUndefine', { args: { net: network }, priority: 'high', writes: true }),
  CONNECT_NUM_OF_DEFINED_NETWORKS: procedure(50, 'virConnectNumOfDefinedNetworks', {
    result: { num: int },
    priority: 'high',
  }),
  CONNECT_NUM_OF_NETWORKS: procedure(52, 'virConnectNumOfNetworks', { result: { num: int }, priority: 'high' }),
  CONNECT_NUM_OF_INTERFACES: procedure(126, 'virConnectNumOfInterfaces', { result: { num: int }, priority: 'high' }),
  CONNECT_LIST_INTERFACES: procedure(127, 'virConnectListInterfaces', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.INTERFACE_LIST_MAX) },
    priority: 'high',
  }),
  INTERFACE_LOOKUP_BY_NAME: procedure(128, 'virInterfaceLookupByName', {
    args: { name: text },
    result: { iface: networkInterface },
    priority: 'high',
  }),
  INTERFACE_LOOKUP_BY_MAC_STRING: procedure(129, 'virInterfaceLookupByMACString', {
    args: { mac: text },
    result: { iface: networkInterface },
    priority: 'high',
  }),
  INTERFACE_GET_XML_DESC: procedure(130, 'virInterfaceGetXMLDesc', {
    args: { iface: networkInterface, flags: uint },
    result: { xml: text },
  }),
  INTERFACE_DEFINE_XML: procedure(131, 'virInterfaceDefineXML', {
    args: { xml: text, flags: uint },
    result: { iface: networkInterface },
    priority: 'high',
    writes: true,
  }),
  CONNECT_NUM_OF_DEFINED_INTERFACES: procedure(137, 'virConnectNumOfDefinedInterfaces', {
    result: { num: int },
    priority: 'high',
  }),
  CONNECT_LIST_DEFINED_INTERFACES: procedure(138, 'virConnectListDefinedInterfaces', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.INTERFACE_LIST_MAX) },
    priority: 'high',
  }),
  NETWORK_IS_ACTIVE: procedure(152, 'virNetworkIsActive', {
    args: { net: network },
    result: { active: int },
    priority: 'high',
  }),
  NETWORK_IS_PERSISTENT: procedure(153, 'virNetworkIsPersistent', {
    args: { net: network },
    result: { persistent: int },
    priority: 'high',
  }),
  INTERFACE_IS_ACTIVE: procedure(156, 'virInterfaceIsActive', {
    args: { iface: networkInterface },
    result: { active: int },
    priority: 'high',
  }),
  NWFILTER_LOOKUP_BY_NAME: procedure(175, 'virNWFilterLookupByName', {
    args: { name: text },
    result: { nwfilter: nwfilter },
    priority: 'high',
  }),
  NWFILTER_LOOKUP_BY_UUID: procedure(176, 'virNWFilterLookupByUUID', {
    args: { uuid: uuid },
    result: { nwfilter: nwfilter },
    priority: 'high',
  }),
  NWFILTER_GET_XML_DESC: procedure(177, 'virNWFilterGetXMLDesc', {
    args: { nwfilter: nwfilter, flags: uint },
    result: { xml: text },
    priority: 'high',
  }),
  CONNECT_NUM_OF_NWFILTERS: procedure(178, 'virConnectNumOfNWFilters', { result: { num: int }, priority: 'high' }),
  CONNECT_LIST_NWFILTERS: procedure(179, 'virConnectListNWFilters', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.NWFILTER_LIST_MAX) },
    priority: 'high',
  }),
  CONNECT_LIST_ALL_NETWORKS: procedure(283, 'virConnectListAllNetworks', {
    args: { need_results: int, flags: uint },
    result: { nets: array(network, MAXIMA.NETWORK_LIST_MAX), ret: uint },
    priority: 'high',
  }),
  CONNECT_LIST_ALL_INTERFACES: procedure(284, 'virConnectListAllInterfaces', {
    args: { need_results: int, flags: uint },
    result: { ifaces: array(networkInterface, MAXIMA.INTERFACE_LIST_MAX), ret: uint },
    priority: 'high',
  }),
  CONNECT_LIST_ALL_NWFILTERS: procedure(286, 'virConnectListAllNWFilters', {
    args: { need_results: int, flags: uint },
    result: { filters: array(nwfilter, MAXIMA.NWFILTER_LIST_MAX), ret: uint },
    priority: 'high',
  }),
  NETWORK_UPDATE: procedure(291, 'virNetworkUpdate', {
    args: { net: network, command: uint, section: uint, parentIndex: int, xml: text, flags: uint },
    priority: 'high',
    writes: true,
  }),
  NETWORK_GET_DHCP_LEASES: procedure(341, 'virNetworkGetDHCPLeases', {
    args: { net: network, mac: optional(text), need_results: int, flags: uint },
    result: { leases: array(networkDhcpLease, MAXIMA.NETWORK_DHCP_LEASES_MAX), ret: uint },
  }),
  NETWORK_DEFINE_XML_FLAGS: procedure(432, 'virNetworkDefineXMLFlags', {
    args: { xml: text, flags: uint },
    result: { net: network },
    priority: 'high',
    writes: true,
  }),
  NETWORK_CREATE_XML_FLAGS: procedure(437, 'virNetworkCreateXMLFlags', {
    args: { xml: text, flags: uint },
    result: { net: network },
    priority: 'high',
    writes: true,
  }),
}
