/**
 * libvirt's numbers for events, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-domain.h; the name of each enumeration stands over it.
 */

// --- Which events are told. (virDomainEventID)

/** What becomes of domains. */
export const VIR_DOMAIN_EVENT_ID_LIFECYCLE = 0
/** Guests that restart themselves. */
export const VIR_DOMAIN_EVENT_ID_REBOOT = 1
/** Guests that set their clock; not told here. */
export const VIR_DOMAIN_EVENT_ID_RTC_CHANGE = 2
/** Watchdogs that bite; not told here. */
export const VIR_DOMAIN_EVENT_ID_WATCHDOG = 3
/** Disks that fail; not told here. */
export const VIR_DOMAIN_EVENT_ID_IO_ERROR = 4
/** Who looks at screens; not told here. */
export const VIR_DOMAIN_EVENT_ID_GRAPHICS = 5
/** Disks that fail, and why; not told here. */
export const VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON = 6
/** Hypervisors that are out of hand; not told here. */
export const VIR_DOMAIN_EVENT_ID_CONTROL_ERROR = 7
/** What is done to disks meanwhile, by their images; not told here. */
export const VIR_DOMAIN_EVENT_ID_BLOCK_JOB = 8
/** Images that are missing at a start; not told here. */
export const VIR_DOMAIN_EVENT_ID_DISK_CHANGE = 9
/** Trays that open and close; not told here. */
export const VIR_DOMAIN_EVENT_ID_TRAY_CHANGE = 10
/** Guests that wake; not told here. */
export const VIR_DOMAIN_EVENT_ID_PMWAKEUP = 11
/** Guests that go to sleep in memory; not told here. */
export const VIR_DOMAIN_EVENT_ID_PMSUSPEND = 12
/** Guests whose memory gets more or less; not told here. */
export const VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE = 13
/** Guests that go to sleep on their disk. */
export const VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK = 14
/** Devices that are pulled from what runs. */
export const VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED = 15
/** What is done to disks meanwhile, by their targets; not told here. */
export const VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2 = 16
/** Limits that change; not told here. */
export const VIR_DOMAIN_EVENT_ID_TUNABLE = 17
/** Agents in guests that come and go, where hosts tell. */
export const VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE = 18
/** Devices that are plugged into what runs. */
export const VIR_DOMAIN_EVENT_ID_DEVICE_ADDED = 19
/** How a migration gets on; not told here. */
export const VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION = 20
/** Jobs that are done; not told here. */
export const VIR_DOMAIN_EVENT_ID_JOB_COMPLETED = 21
/** Devices that guests do not let go of; not told here. */
export const VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED = 22
/** Notes that change, where they are changed as such. */
export const VIR_DOMAIN_EVENT_ID_METADATA_CHANGE = 23
/** Images that have grown so far; not told here. */
export const VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD = 24
/** Memory that fails; not told here. */
export const VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE = 25
/** Devices of memory that get more or less; not told here. */
export const VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE = 26
/** How many there are. */
export const VIR_DOMAIN_EVENT_ID_LAST = 27

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
/** It has another name. */
export const VIR_DOMAIN_EVENT_DEFINED_RENAMED = 2
/** It has the definition that a snapshot kept. */
export const VIR_DOMAIN_EVENT_DEFINED_FROM_SNAPSHOT = 3
/** Somebody undefined it. */
export const VIR_DOMAIN_EVENT_UNDEFINED_REMOVED = 0
/** It has another name. */
export const VIR_DOMAIN_EVENT_UNDEFINED_RENAMED = 1
/** It boots. */
export const VIR_DOMAIN_EVENT_STARTED_BOOTED = 0
/** It comes from a saved state. */
export const VIR_DOMAIN_EVENT_STARTED_RESTORED = 2
/** It is what a snapshot kept. */
export const VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT = 3
/** Its guest has woken up. */
export const VIR_DOMAIN_EVENT_STARTED_WAKEUP = 4
/** Somebody paused it. */
export const VIR_DOMAIN_EVENT_SUSPENDED_PAUSED = 0
/** What it asked of a disk could not be done. */
export const VIR_DOMAIN_EVENT_SUSPENDED_IOERROR = 2
/** A watchdog bit. */
export const VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG = 3
/** It comes from a saved state, in which it was paused. */
export const VIR_DOMAIN_EVENT_SUSPENDED_RESTORED = 4
/** It is what a snapshot kept. */
export const VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT = 5
/** Somebody let it go on. */
export const VIR_DOMAIN_EVENT_RESUMED_UNPAUSED = 0
/** It is what a snapshot kept. */
export const VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT = 2
/** Its guest has shut down. */
export const VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN = 0
/** Somebody cut its power. */
export const VIR_DOMAIN_EVENT_STOPPED_DESTROYED = 1
/** Its guest has panicked. */
export const VIR_DOMAIN_EVENT_STOPPED_CRASHED = 2
/** It was put to disk with its memory. */
export const VIR_DOMAIN_EVENT_STOPPED_SAVED = 4
/** It is what a snapshot kept. */
export const VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT = 6
/** Its guest is done. */
export const VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED = 0
/** To its own disk. */
export const VIR_DOMAIN_EVENT_PMSUSPENDED_DISK = 1
/** It has said so. */
export const VIR_DOMAIN_EVENT_CRASHED_PANICKED = 0

// --- What becomes of the agent in a guest, and why. (virConnectDomainEventAgentLifecycleState, …Reason)

/** It listens. */
export const VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED = 1
/** It listens no more. */
export const VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED = 2
/** It has opened or closed its channel. */
export const VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL = 2
