/**
 * libvirt's numbers for networks, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-network.h; the name of each enumeration stands over it.
 */

// --- Which networks are listed. (virConnectListAllNetworksFlags)

/** Those that carry nothing now. */
export const VIR_CONNECT_LIST_NETWORKS_INACTIVE = 1
/** Those that do. */
export const VIR_CONNECT_LIST_NETWORKS_ACTIVE = 2
/** Those with a definition. */
export const VIR_CONNECT_LIST_NETWORKS_PERSISTENT = 4
/** Those without, which are gone when they stop. */
export const VIR_CONNECT_LIST_NETWORKS_TRANSIENT = 8
/** Those that start with the host. */
export const VIR_CONNECT_LIST_NETWORKS_AUTOSTART = 16
/** Those that do not. */
export const VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART = 32
/** A description of what was defined, which is what there is. */
export const VIR_NETWORK_XML_INACTIVE = 1
/** The description being held against the schema first. */
export const VIR_NETWORK_DEFINE_VALIDATE = 1
/** The same of a network that is to carry packets at once. */
export const VIR_NETWORK_CREATE_VALIDATE = 1

// --- How a part of a network is updated. (virNetworkUpdateCommand, virNetworkUpdateSection, virNetworkUpdateFlags)

/** No command. */
export const VIR_NETWORK_UPDATE_COMMAND_NONE = 0
/** A part is another. */
export const VIR_NETWORK_UPDATE_COMMAND_MODIFY = 1
/** A part goes. */
export const VIR_NETWORK_UPDATE_COMMAND_DELETE = 2
/** A part comes, after others of its kind. */
export const VIR_NETWORK_UPDATE_COMMAND_ADD_LAST = 3
/** A part comes, ahead of them. */
export const VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST = 4
/** No part. */
export const VIR_NETWORK_SECTION_NONE = 0
/** `<bridge>`: the host's own interface. */
export const VIR_NETWORK_SECTION_BRIDGE = 1
/** `<domain>`: of names. */
export const VIR_NETWORK_SECTION_DOMAIN = 2
/** `<ip>`: what guests are told is their gateway. */
export const VIR_NETWORK_SECTION_IP = 3
/** `<host>` in its `<dhcp>`. */
export const VIR_NETWORK_SECTION_IP_DHCP_HOST = 4
/** `<range>` in its `<dhcp>`. */
export const VIR_NETWORK_SECTION_IP_DHCP_RANGE = 5
/** `<forward>`: where it leads. */
export const VIR_NETWORK_SECTION_FORWARD = 6
/** `<interface>` in it: the card. */
export const VIR_NETWORK_SECTION_FORWARD_INTERFACE = 7
/** `<pf>` in it. */
export const VIR_NETWORK_SECTION_FORWARD_PF = 8
/** `<portgroup>`. */
export const VIR_NETWORK_SECTION_PORTGROUP = 9
/** `<host>` in `<dns>`. */
export const VIR_NETWORK_SECTION_DNS_HOST = 10
/** `<txt>` in `<dns>`. */
export const VIR_NETWORK_SECTION_DNS_TXT = 11
/** `<srv>` in `<dns>`. */
export const VIR_NETWORK_SECTION_DNS_SRV = 12
/** What it is now, or where it is not active what it is to be. */
export const VIR_NETWORK_UPDATE_AFFECT_CURRENT = 0
/** What it is now. */
export const VIR_NETWORK_UPDATE_AFFECT_LIVE = 1
/** What it is to be. */
export const VIR_NETWORK_UPDATE_AFFECT_CONFIG = 2

// --- What is told of networks. (virNetworkEventID, virNetworkEventLifecycleType)

/** What becomes of them. */
export const VIR_NETWORK_EVENT_ID_LIFECYCLE = 0
/** It has a new definition. */
export const VIR_NETWORK_EVENT_DEFINED = 0
/** It is forgotten. */
export const VIR_NETWORK_EVENT_UNDEFINED = 1
/** It carries packets. */
export const VIR_NETWORK_EVENT_STARTED = 2
/** It does no more. */
export const VIR_NETWORK_EVENT_STOPPED = 3
