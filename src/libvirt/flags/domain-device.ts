/**
 * libvirt's numbers for what domains have, by libvirt's names; those that functions here take or give.
 * Source: libvirt 9.0, include/libvirt/libvirt-domain.h and libvirt-common.h; the name of each enumeration stands over it.
 */

// --- What a change is of. (virDomainModificationImpact)

/** What there is: the running domain, else the definition. */
export const VIR_DOMAIN_AFFECT_CURRENT = 0
/** The running domain. */
export const VIR_DOMAIN_AFFECT_LIVE = 1
/** The definition that counts from the next start. */
export const VIR_DOMAIN_AFFECT_CONFIG = 2

// --- Which numbers of virtual CPUs are meant. (virDomainVcpuFlags)

/** As with `VIR_DOMAIN_AFFECT_CURRENT`. */
export const VIR_DOMAIN_VCPU_CURRENT = 0
/** As with `VIR_DOMAIN_AFFECT_LIVE`. */
export const VIR_DOMAIN_VCPU_LIVE = 1
/** As with `VIR_DOMAIN_AFFECT_CONFIG`. */
export const VIR_DOMAIN_VCPU_CONFIG = 2
/** The most there may be. */
export const VIR_DOMAIN_VCPU_MAXIMUM = 4
/** Those that the guest uses. */
export const VIR_DOMAIN_VCPU_GUEST = 8
/** Those that can be pulled while it runs. */
export const VIR_DOMAIN_VCPU_HOTPLUGGABLE = 16

// --- What a virtual CPU is doing. (virVcpuState)

/** It is off. */
export const VIR_VCPU_OFFLINE = 0
/** It runs. */
export const VIR_VCPU_RUNNING = 1
/** Nobody tells on which CPU of the host it is. */
export const VIR_VCPU_INFO_CPU_UNAVAILABLE = -2

// --- Which amounts of memory are meant. (virDomainMemoryModFlags)

/** As with `VIR_DOMAIN_AFFECT_CURRENT`. */
export const VIR_DOMAIN_MEM_CURRENT = 0
/** As with `VIR_DOMAIN_AFFECT_LIVE`. */
export const VIR_DOMAIN_MEM_LIVE = 1
/** As with `VIR_DOMAIN_AFFECT_CONFIG`. */
export const VIR_DOMAIN_MEM_CONFIG = 2
/** The most there may be. */
export const VIR_DOMAIN_MEM_MAXIMUM = 4

// --- What a device is changed in. (virDomainDeviceModifyFlags)

/** As with `VIR_DOMAIN_AFFECT_CURRENT`. */
export const VIR_DOMAIN_DEVICE_MODIFY_CURRENT = 0
/** As with `VIR_DOMAIN_AFFECT_LIVE`. */
export const VIR_DOMAIN_DEVICE_MODIFY_LIVE = 1
/** As with `VIR_DOMAIN_AFFECT_CONFIG`. */
export const VIR_DOMAIN_DEVICE_MODIFY_CONFIG = 2
/** Whether or not the guest agrees, such as one that has locked a tray. */
export const VIR_DOMAIN_DEVICE_MODIFY_FORCE = 4

// --- Of what type a parameter is, and how it is told. (virTypedParameterType, virTypedParameterFlags)

/** 32 bits. */
export const VIR_TYPED_PARAM_UINT = 2
/** 64 bits with sign. */
export const VIR_TYPED_PARAM_LLONG = 3
/** 64 bits. */
export const VIR_TYPED_PARAM_ULLONG = 4
/** The caller can read texts among the parameters. */
export const VIR_TYPED_PARAM_STRING_OKAY = 4

// --- What is counted of a guest's memory. (virDomainMemoryStatTags)

/** What it has read from its swap space, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_SWAP_IN = 0
/** What it has written to its swap space, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_SWAP_OUT = 1
/** Page faults that a disk had to be read for. */
export const VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT = 2
/** Other page faults. */
export const VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT = 3
/** What it makes no use of, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_UNUSED = 4
/** What it takes for its memory, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_AVAILABLE = 5
/** What the balloon leaves it, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON = 6
/** What the domain takes of the host's memory, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_RSS = 7
/** What it could do without and not begin to swap, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_USABLE = 8
/** When it told of its memory last, in seconds since 1970. */
export const VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE = 9
/** What it could give back without writing anything, in KiB. */
export const VIR_DOMAIN_MEMORY_STAT_DISK_CACHES = 10
/** Huge pages that its programs were given. */
export const VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC = 11
/** Huge pages that its programs were not given. */
export const VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL = 12

// --- Why the image of a disk could not be read or written. (virDomainDiskErrorCode)

/** It could not, for whatever reason. */
export const VIR_DOMAIN_DISK_ERROR_UNSPEC = 1
/** There was no room for it. */
export const VIR_DOMAIN_DISK_ERROR_NO_SPACE = 2

// --- How a guest's screen is looked at. (virDomainOpenGraphicsFlags)

/** Without a password that others are asked for. */
export const VIR_DOMAIN_OPEN_GRAPHICS_SKIPAUTH = 1

// --- Whose codes keys are. (virKeycodeSet)

/** Linux's input events. */
export const VIR_KEYCODE_SET_LINUX = 0
/** What `VIR_KEYCODE_SET_ATSET1` is. */
export const VIR_KEYCODE_SET_XT = 1
/** The first set of an AT keyboard. */
export const VIR_KEYCODE_SET_ATSET1 = 2
/** The second; not understood here. */
export const VIR_KEYCODE_SET_ATSET2 = 3
/** The third; not understood here. */
export const VIR_KEYCODE_SET_ATSET3 = 4
/** Apple's; not understood here. */
export const VIR_KEYCODE_SET_OSX = 5
/** The first set, as Linux's drivers of keyboards once passed it on. */
export const VIR_KEYCODE_SET_XT_KBD = 6
/** Those of USB's usage tables. */
export const VIR_KEYCODE_SET_USB = 7
/** Windows' virtual keys. */
export const VIR_KEYCODE_SET_WIN32 = 8
/** The first set, as VNC and QEMU pass it on. */
export const VIR_KEYCODE_SET_QNUM = 9
/** How many sets there are. */
export const VIR_KEYCODE_SET_LAST = 10
/** How many keys are sent at once. */
export const VIR_DOMAIN_SEND_KEY_MAX_KEYS = 16

// --- How a console is opened. (virDomainConsoleFlags)

/** Whoever has it loses it. */
export const VIR_DOMAIN_CONSOLE_FORCE = 1
/** Only where nobody else can have it meanwhile, which is so here among those who open it in this way. */
export const VIR_DOMAIN_CONSOLE_SAFE = 2
