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
/** Those without, of which there are none here. */
export const VIR_CONNECT_LIST_NETWORKS_TRANSIENT = 8
/** Those that start with the host. */
export const VIR_CONNECT_LIST_NETWORKS_AUTOSTART = 16
/** Those that do not. */
export const VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART = 32
/** A description of what was defined, which is what there is. */
export const VIR_NETWORK_XML_INACTIVE = 1
/** The description being held against the schema first. */
export const VIR_NETWORK_DEFINE_VALIDATE = 1
