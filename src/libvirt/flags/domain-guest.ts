/**
 * libvirt's numbers for what is asked of guests, by libvirt's names.
 * Source: libvirt 9.0, include/libvirt/libvirt-domain.h and libvirt-network.h; the name of each enumeration stands over it.
 */

// --- Who knows the addresses of a guest. (virDomainInterfaceAddressesSource)

/** Who leases addresses on networks of the host. */
export const VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE = 0
/** A program in the guest. */
export const VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT = 1
/** The host, of its neighbours. */
export const VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP = 2

// --- What kind of address it is. (virIPAddrType)

/** IPv4. */
export const VIR_IP_ADDR_TYPE_IPV4 = 0
/** IPv6. */
export const VIR_IP_ADDR_TYPE_IPV6 = 1

// --- Who knows what a guest is called. (virDomainGetHostnameFlags)

/** Who leases addresses to it. */
export const VIR_DOMAIN_GET_HOSTNAME_LEASE = 1
/** A program in the guest. */
export const VIR_DOMAIN_GET_HOSTNAME_AGENT = 2

// --- What is told of a guest. (virDomainGuestInfoTypes)

/** Who is logged in. */
export const VIR_DOMAIN_GUEST_INFO_USERS = 1
/** Its operating system. */
export const VIR_DOMAIN_GUEST_INFO_OS = 2
/** Its time zone. */
export const VIR_DOMAIN_GUEST_INFO_TIMEZONE = 4
/** Its name. */
export const VIR_DOMAIN_GUEST_INFO_HOSTNAME = 8
/** What is mounted in it. */
export const VIR_DOMAIN_GUEST_INFO_FILESYSTEM = 16
/** The disks that it sees. */
export const VIR_DOMAIN_GUEST_INFO_DISKS = 32
/** Its interfaces. */
export const VIR_DOMAIN_GUEST_INFO_INTERFACES = 64

// --- How the clock of a guest is set. (virDomainSetTimeFlags)

/** To what the clock of its machine says. */
export const VIR_DOMAIN_TIME_SYNC = 1
