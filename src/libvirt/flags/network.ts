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
