/**
 * libvirt's numbers for events, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-domain.h; the name of each enumeration stands over it.
 */

// --- Which events are told. (virDomainEventID)

/** What becomes of domains. */
export const VIR_DOMAIN_EVENT_ID_LIFECYCLE = 0
/** Guests that restart themselves. */
export const VIR_DOMAIN_EVENT_ID_REBOOT = 1

// --- What has become of a domain. (virDomainEventType)

/** It has a new definition. */
export const VIR_DOMAIN_EVENT_DEFINED = 0
/** It is forgotten. */
export const VIR_DOMAIN_EVENT_UNDEFINED = 1
/** It has come into memory. */
export const VIR_DOMAIN_EVENT_STARTED = 2
/** It is paused. */
export const VIR_DOMAIN_EVENT_SUSPENDED = 3
/** It runs again. */
export const VIR_DOMAIN_EVENT_RESUMED = 4
/** It has left memory. */
export const VIR_DOMAIN_EVENT_STOPPED = 5
/** Its guest has shut down. */
export const VIR_DOMAIN_EVENT_SHUTDOWN = 6
/** Its guest has suspended itself. */
export const VIR_DOMAIN_EVENT_PMSUSPENDED = 7
/** Its guest has panicked. */
export const VIR_DOMAIN_EVENT_CRASHED = 8

// --- More of what has become of it. (virDomainEventDefinedDetailType and its like)

/** It was not there before. */
export const VIR_DOMAIN_EVENT_DEFINED_ADDED = 0
/** It was there before. */
export const VIR_DOMAIN_EVENT_DEFINED_UPDATED = 1
/** Somebody undefined it. */
export const VIR_DOMAIN_EVENT_UNDEFINED_REMOVED = 0
/** It boots. */
export const VIR_DOMAIN_EVENT_STARTED_BOOTED = 0
/** It comes from a saved state. */
export const VIR_DOMAIN_EVENT_STARTED_RESTORED = 2
/** Somebody paused it. */
export const VIR_DOMAIN_EVENT_SUSPENDED_PAUSED = 0
/** Somebody let it go on. */
export const VIR_DOMAIN_EVENT_RESUMED_UNPAUSED = 0
/** Its guest has shut down. */
export const VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN = 0
/** Somebody cut its power. */
export const VIR_DOMAIN_EVENT_STOPPED_DESTROYED = 1
/** Its guest has panicked. */
export const VIR_DOMAIN_EVENT_STOPPED_CRASHED = 2
/** It was put to disk with its memory. */
export const VIR_DOMAIN_EVENT_STOPPED_SAVED = 4
/** Its guest is done. */
export const VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED = 0
/** To its own disk. */
export const VIR_DOMAIN_EVENT_PMSUSPENDED_DISK = 1
/** It has said so. */
export const VIR_DOMAIN_EVENT_CRASHED_PANICKED = 0
