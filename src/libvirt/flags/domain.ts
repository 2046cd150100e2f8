/**
 * libvirt's numbers for connections and domains, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-host.h and libvirt-domain.h; the name of each enumeration stands over it.
 */

// --- How a connection is opened. (virConnectFlags)

/** Nothing is changed through it. */
export const VIR_CONNECT_RO = 1

// --- What a domain is doing. (virDomainState)

/** The host says something that has no name here. */
export const VIR_DOMAIN_NOSTATE = 0
/** Executing. */
export const VIR_DOMAIN_RUNNING = 1
/** In memory, its virtual CPUs stopped. */
export const VIR_DOMAIN_PAUSED = 3
/** Not in memory; what it was may be on disk (`hasManagedSaveImage`). */
export const VIR_DOMAIN_SHUTOFF = 5
/** Its guest has panicked and is held. */
export const VIR_DOMAIN_CRASHED = 6

// --- Why it is doing that, as far as it can be known from outside. (virDomainRunningReason and its like)

/** Nobody tells. */
export const VIR_DOMAIN_NOSTATE_UNKNOWN = 0
/** Nobody tells why it runs. */
export const VIR_DOMAIN_RUNNING_UNKNOWN = 0
/** It was started. */
export const VIR_DOMAIN_RUNNING_BOOTED = 1
/** It comes from a saved state. */
export const VIR_DOMAIN_RUNNING_RESTORED = 3
/** It is what a snapshot kept. */
export const VIR_DOMAIN_RUNNING_FROM_SNAPSHOT = 4
/** Somebody let it go on. */
export const VIR_DOMAIN_RUNNING_UNPAUSED = 5
/** It was to be put to disk, and was not. */
export const VIR_DOMAIN_RUNNING_SAVE_CANCELED = 7
/** Its guest has woken up. */
export const VIR_DOMAIN_RUNNING_WAKEUP = 8
/** Its guest has panicked, and was started again. */
export const VIR_DOMAIN_RUNNING_CRASHED = 9
/** Nobody tells why it is paused. */
export const VIR_DOMAIN_PAUSED_UNKNOWN = 0
/** Somebody paused it. */
export const VIR_DOMAIN_PAUSED_USER = 1
/** It is being put to disk. */
export const VIR_DOMAIN_PAUSED_SAVE = 3
/** Its memory is being dumped. */
export const VIR_DOMAIN_PAUSED_DUMP = 4
/** What it asked of a disk could not be done. */
export const VIR_DOMAIN_PAUSED_IOERROR = 5
/** A watchdog bit. */
export const VIR_DOMAIN_PAUSED_WATCHDOG = 6
/** It is what a snapshot kept. */
export const VIR_DOMAIN_PAUSED_FROM_SNAPSHOT = 7
/** Its guest has shut down, and is held. */
export const VIR_DOMAIN_PAUSED_SHUTTING_DOWN = 8
/** It is being started. */
export const VIR_DOMAIN_PAUSED_STARTING_UP = 11
/** Nobody tells why it is off. */
export const VIR_DOMAIN_SHUTOFF_UNKNOWN = 0
/** Its guest has shut down. */
export const VIR_DOMAIN_SHUTOFF_SHUTDOWN = 1
/** Somebody cut its power. */
export const VIR_DOMAIN_SHUTOFF_DESTROYED = 2
/** Its guest has panicked, or its hypervisor has ended. */
export const VIR_DOMAIN_SHUTOFF_CRASHED = 3
/** It was put to disk with its memory. */
export const VIR_DOMAIN_SHUTOFF_SAVED = 5
/** It was to be started, and was not. */
export const VIR_DOMAIN_SHUTOFF_FAILED = 6
/** It is what a snapshot kept. */
export const VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT = 7
/** Its guest has panicked. */
export const VIR_DOMAIN_CRASHED_PANICKED = 1

// --- How a domain is started. (virDomainCreateFlags)

/** As it is done by default. */
export const VIR_DOMAIN_NONE = 0
/** Paused. */
export const VIR_DOMAIN_START_PAUSED = 1
/** To be destroyed when the connection closes. */
export const VIR_DOMAIN_START_AUTODESTROY = 2
/** Reading a saved state around the cache of the host. */
export const VIR_DOMAIN_START_BYPASS_CACHE = 4
/** From its disks, what was saved being thrown away. */
export const VIR_DOMAIN_START_FORCE_BOOT = 8
/** The description being held against the schema first. */
export const VIR_DOMAIN_START_VALIDATE = 16
/** The firmware's variables being forgotten. */
export const VIR_DOMAIN_START_RESET_NVRAM = 32

// --- How a domain is defined. (virDomainDefineFlags)

/** The description being held against the schema first. */
export const VIR_DOMAIN_DEFINE_VALIDATE = 1

// --- How a domain is destroyed. (virDomainDestroyFlagsValues)

/** At once. */
export const VIR_DOMAIN_DESTROY_DEFAULT = 0
/** Only if that takes no violence to the hypervisor's process. */
export const VIR_DOMAIN_DESTROY_GRACEFUL = 1
/** With its logs. */
export const VIR_DOMAIN_DESTROY_REMOVE_LOGS = 2

// --- How a guest is asked to shut down. (virDomainShutdownFlagValues)

/** In the host's own way. */
export const VIR_DOMAIN_SHUTDOWN_DEFAULT = 0
/** By the power button. */
export const VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN = 1
/** Through an agent in the guest. */
export const VIR_DOMAIN_SHUTDOWN_GUEST_AGENT = 2
/** Through init's pipe. */
export const VIR_DOMAIN_SHUTDOWN_INITCTL = 4
/** By a signal. */
export const VIR_DOMAIN_SHUTDOWN_SIGNAL = 8
/** Through the hypervisor's own line to the guest. */
export const VIR_DOMAIN_SHUTDOWN_PARAVIRT = 16

// --- How a guest is rebooted. (virDomainRebootFlagValues)

/** In the host's own way. */
export const VIR_DOMAIN_REBOOT_DEFAULT = 0
/** By the power button. */
export const VIR_DOMAIN_REBOOT_ACPI_POWER_BTN = 1
/** Through an agent in the guest. */
export const VIR_DOMAIN_REBOOT_GUEST_AGENT = 2
/** Through init's pipe. */
export const VIR_DOMAIN_REBOOT_INITCTL = 4
/** By a signal. */
export const VIR_DOMAIN_REBOOT_SIGNAL = 8
/** Through the hypervisor's own line to the guest. */
export const VIR_DOMAIN_REBOOT_PARAVIRT = 16

// --- What is undefined with a domain. (virDomainUndefineFlagsValues)

/** What was saved of it. */
export const VIR_DOMAIN_UNDEFINE_MANAGED_SAVE = 1
/** What is known of its snapshots. */
export const VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA = 2
/** The firmware's variables. */
export const VIR_DOMAIN_UNDEFINE_NVRAM = 4
/** Not the firmware's variables. */
export const VIR_DOMAIN_UNDEFINE_KEEP_NVRAM = 8
/** What is known of its checkpoints, of which there are none here. */
export const VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA = 16
/** The state of its TPM. */
export const VIR_DOMAIN_UNDEFINE_TPM = 32
/** Not the state of its TPM. */
export const VIR_DOMAIN_UNDEFINE_KEEP_TPM = 64

// --- How a domain is put to disk. (virDomainSaveRestoreFlags)

/** Around the cache of the host. */
export const VIR_DOMAIN_SAVE_BYPASS_CACHE = 1
/** To run when it comes back. */
export const VIR_DOMAIN_SAVE_RUNNING = 2
/** To be paused when it comes back. */
export const VIR_DOMAIN_SAVE_PAUSED = 4
/** The firmware's variables being forgotten. */
export const VIR_DOMAIN_SAVE_RESET_NVRAM = 8

// --- What a description of a saved domain says. (virDomainSaveImageXMLFlags)

/** Secrets too; there are none in descriptions here. */
export const VIR_DOMAIN_SAVE_IMAGE_XML_SECURE = 1

// --- What becomes of a domain whose memory is dumped, and how. (virDomainCoreDumpFlags)

/** Its power is cut then. */
export const VIR_DUMP_CRASH = 1
/** Its guest goes on meanwhile. */
export const VIR_DUMP_LIVE = 2
/** Around the cache of the host. */
export const VIR_DUMP_BYPASS_CACHE = 4
/** It is reset then. */
export const VIR_DUMP_RESET = 8
/** Its memory and the registers of its CPUs alone, for debuggers. */
export const VIR_DUMP_MEMORY_ONLY = 16

// --- How dumped memory is encoded. (virDomainCoreDumpFormat)

/** As it is: ELF. */
export const VIR_DOMAIN_CORE_DUMP_FORMAT_RAW = 0
/** Kdump's format, compressed by zlib. */
export const VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB = 1
/** Kdump's format, compressed by LZO. */
export const VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO = 2
/** Kdump's format, compressed by Snappy. */
export const VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY = 3
/** As Windows writes it. */
export const VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP = 4

// --- What a description of a domain says. (virDomainXMLFlags)

/** Secrets too; there are none in descriptions here. */
export const VIR_DOMAIN_XML_SECURE = 1
/** What counts from the next start. */
export const VIR_DOMAIN_XML_INACTIVE = 2
/** What the host's CPU makes of that of the guest. */
export const VIR_DOMAIN_XML_UPDATE_CPU = 4
/** What another host would take. */
export const VIR_DOMAIN_XML_MIGRATABLE = 8

// --- Which domains are listed. Of flags of one pair or row, any that fits; of several, all must fit. (virConnectListAllDomainsFlags)

/** Those in memory. */
export const VIR_CONNECT_LIST_DOMAINS_ACTIVE = 1
/** Those that are not. */
export const VIR_CONNECT_LIST_DOMAINS_INACTIVE = 2
/** Those with a definition. */
export const VIR_CONNECT_LIST_DOMAINS_PERSISTENT = 4
/** Those without, of which there are none here. */
export const VIR_CONNECT_LIST_DOMAINS_TRANSIENT = 8
/** Those that run. */
export const VIR_CONNECT_LIST_DOMAINS_RUNNING = 16
/** Those that are paused. */
export const VIR_CONNECT_LIST_DOMAINS_PAUSED = 32
/** Those that are off. */
export const VIR_CONNECT_LIST_DOMAINS_SHUTOFF = 64
/** Those that do something else. */
export const VIR_CONNECT_LIST_DOMAINS_OTHER = 128
/** Those with a saved state. */
export const VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE = 256
/** Those without. */
export const VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE = 512
/** Those that start with the host. */
export const VIR_CONNECT_LIST_DOMAINS_AUTOSTART = 1_024
/** Those that do not. */
export const VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART = 2_048
/** Those with snapshots. */
export const VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT = 4_096
/** Those without. */
export const VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT = 8_192
/** Those with checkpoints, of which there are none here. */
export const VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT = 16_384
/** Those without. */
export const VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT = 32_768

// --- What becomes of a domain when its host starts. libvirt has 0 and 1 only; the document has these three. (the document of the Hyper-V driver, 4.1.24)

/** It stays off. */
export const AUTOSTART_NONE = 0
/** It starts if it ran when the host stopped. */
export const AUTOSTART_IF_WAS_RUNNING = 1
/** It starts. */
export const AUTOSTART_ALWAYS = 2
