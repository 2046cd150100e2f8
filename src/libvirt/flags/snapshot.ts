/**
 * libvirt's numbers for snapshots, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-domain-snapshot.h; the name of each enumeration stands over it.
 */

// --- How a snapshot is made. (virDomainSnapshotCreateFlags)

/** Only what is known of it, as it was told once. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE = 1
/** It being the current one, where it is redefined. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT = 2
/** Nothing being known of it. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA = 4
/** The domain being off after it. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_HALT = 8
/** Without memory. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY = 16
/** Into files that are there already. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT = 32
/** Once the guest has written all it has to. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE = 64
/** All or nothing, as it always is here. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC = 128
/** The guest going on meanwhile. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_LIVE = 256
/** The description being held against the schema first. */
export const VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE = 512

// --- Which snapshots are listed. (virDomainSnapshotListFlags)

/** Of a domain, those without a parent. */
export const VIR_DOMAIN_SNAPSHOT_LIST_ROOTS = 1
/** Of a snapshot, its children's children too. */
export const VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS = 1
/** Those of which somebody else than the host keeps what is known: none here. */
export const VIR_DOMAIN_SNAPSHOT_LIST_METADATA = 2
/** Those without children. */
export const VIR_DOMAIN_SNAPSHOT_LIST_LEAVES = 4
/** Those with children. */
export const VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES = 8
/** Those that the host knows itself: all. */
export const VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA = 16
/** Those of a domain that was off. */
export const VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE = 32
/** Those with memory. */
export const VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE = 64
/** Those without memory of a domain that ran; which they are, hosts do not tell. */
export const VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY = 128
/** Those within their images. */
export const VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL = 256
/** Those in files of their own. */
export const VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL = 512
/** Parents before children, as they always are here. */
export const VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL = 1_024

// --- How a domain goes back to a snapshot. (virDomainSnapshotRevertFlags)

/** It runs then. */
export const VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING = 1
/** It is paused then. */
export const VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED = 2
/** Even where that is risky. */
export const VIR_DOMAIN_SNAPSHOT_REVERT_FORCE = 4
/** The firmware's variables being forgotten. */
export const VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM = 8

// --- What is deleted with a snapshot. (virDomainSnapshotDeleteFlags)

/** All that build on it. */
export const VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN = 1
/** Only what is known of it. */
export const VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY = 2
/** All that build on it, but not it. */
export const VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY = 4

// --- What a description of a snapshot says. (virDomainSnapshotXMLFlags)

/** Secrets too; there are none in descriptions here. */
export const VIR_DOMAIN_SNAPSHOT_XML_SECURE = 1
