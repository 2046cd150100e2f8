/**
 * libvirt's numbers for what is counted of many domains at once, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-domain.h and libvirt-common.h; the name of each enumeration stands over it.
 */

// --- Which groups of statistics are told; 0 is all that there are. (virDomainStatsTypes)

/** What it is doing. */
export const VIR_DOMAIN_STATS_STATE = 1
/** CPU time that it has used. */
export const VIR_DOMAIN_STATS_CPU_TOTAL = 2
/** Memory that it has. */
export const VIR_DOMAIN_STATS_BALLOON = 4
/** Its virtual CPUs. */
export const VIR_DOMAIN_STATS_VCPU = 8
/** What went through its interfaces. */
export const VIR_DOMAIN_STATS_INTERFACE = 16
/** What was read from and written to its disks, and how large they are. */
export const VIR_DOMAIN_STATS_BLOCK = 32
/** Events of the host's CPUs that are counted for it. */
export const VIR_DOMAIN_STATS_PERF = 64
/** Threads that it has for its disks alone. */
export const VIR_DOMAIN_STATS_IOTHREAD = 128
/** How much of the host's memory bandwidth it takes. */
export const VIR_DOMAIN_STATS_MEMORY = 256
/** How fast it writes to its memory. */
export const VIR_DOMAIN_STATS_DIRTYRATE = 512
/** What its hypervisor counts besides. */
export const VIR_DOMAIN_STATS_VM = 1_024

// --- Of which domains, and how. Of flags of one pair or row, any that fits. (virConnectGetAllDomainStatsFlags)

/** Those in memory. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE = 1
/** Those that are not. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE = 2
/** Those with a definition. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT = 4
/** Those without. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT = 8
/** Those that run. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING = 16
/** Those that are paused. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED = 32
/** Those that are off. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF = 64
/** Those that do something else. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER = 128
/** Without waiting for what is being done to a domain; nothing here waits for it. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT = 536_870_912
/** Of what disks build on too, as far as the host tells of it. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING = 1_073_741_824
/** Refusing groups that there are not. */
export const VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS = 2_147_483_648

// --- In what the size of a disk is given. (virDomainBlockResizeFlags)

/** In bytes, not in KiB. */
export const VIR_DOMAIN_BLOCK_RESIZE_BYTES = 1

// --- Of what type a parameter is. (virTypedParameterType)

/** 32 bits with sign. */
export const VIR_TYPED_PARAM_INT = 1
/** A truth: 0 or 1. */
export const VIR_TYPED_PARAM_BOOLEAN = 6
/** A text. */
export const VIR_TYPED_PARAM_STRING = 7
