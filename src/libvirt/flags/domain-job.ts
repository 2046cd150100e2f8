/**
 * libvirt's numbers for what is being done to domains, what is noted on them, and what becomes of them when their guests
 * end, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-domain.h; the name of each enumeration stands over it.
 */

// --- What is being done to a domain. (virDomainJobType)

/** Nothing that is told. */
export const VIR_DOMAIN_JOB_NONE = 0

// --- Which work is asked about. (virDomainGetJobStatsFlags)

/** What ended last. */
export const VIR_DOMAIN_JOB_STATS_COMPLETED = 1
/** Without forgetting it. */
export const VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED = 2

// --- Whether a domain can be told to do something. (virDomainControlState)

/** It can. */
export const VIR_DOMAIN_CONTROL_OK = 0

// --- What is noted on a domain. (virDomainMetadataType)

/** What it is for, in any length. */
export const VIR_DOMAIN_METADATA_DESCRIPTION = 0
/** What people call it beside its name, in one line. */
export const VIR_DOMAIN_METADATA_TITLE = 1
/** An element of XML of a namespace, which belongs to a program. */
export const VIR_DOMAIN_METADATA_ELEMENT = 2

// --- How a guest ends, and what is done then. (virDomainLifecycle, virDomainLifecycleAction)

/** It shuts down. */
export const VIR_DOMAIN_LIFECYCLE_POWEROFF = 0
/** It reboots. */
export const VIR_DOMAIN_LIFECYCLE_REBOOT = 1
/** It panics. */
export const VIR_DOMAIN_LIFECYCLE_CRASH = 2
/** The domain stops. */
export const VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY = 0
/** It starts again. */
export const VIR_DOMAIN_LIFECYCLE_ACTION_RESTART = 1
/** It starts again under another name. */
export const VIR_DOMAIN_LIFECYCLE_ACTION_RESTART_RENAME = 2
/** It stays as it is, to be looked at. */
export const VIR_DOMAIN_LIFECYCLE_ACTION_PRESERVE = 3
/** Its memory is written to a file, and it stops. */
export const VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_DESTROY = 4
/** Its memory is written to a file, and it starts again. */
export const VIR_DOMAIN_LIFECYCLE_ACTION_COREDUMP_RESTART = 5
