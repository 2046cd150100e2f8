/** A network as the host is to provide it. */
export interface NetworkConfig {
  /** A UUID in lower case. */
  readonly id: string
  readonly name: string
  /** The ethernet device or bridge of the host through which it reaches the outside; empty: through the host's own sockets. */
  readonly nic: string
  /** The 802.1Q tag it has there, 1 to 4094; null for none. Networks are apart from each other whatever their tags. */
  readonly vlan: number | null
  /** What guests are told by DHCP, where the network offers it; both empty: the driver's default. */
  readonly gateway: string
  readonly netmask: string
  /**
   * Whether the host has an interface of its own in it. Absent where it has not, or where the driver does not tell; given
   * so to `define`, it stays as it is. `refused` where the driver does not change it.
   */
  readonly hasHost?: boolean
}

/** What a network is called. */
export type NetworkTitle = Pick<NetworkConfig, 'id' | 'name'>

/** An address that a guest of a network was given by DHCP. */
export interface NetworkLease {
  /** The guest's hardware address, in lower case. */
  readonly mac: string
  readonly address: string
  /** How many bits of it are the net's. */
  readonly prefix: number
  /** What the guest calls itself; null where it did not say. */
  readonly hostname: string | null
  /** How the guest tells itself from others beside its hardware address, in hexadecimal with colons; null where it does not. */
  readonly clientId: string | null
  /** When it ends, in milliseconds since 1970; null for never. */
  readonly expiresAtMs: number | null
}

/** Networks of the host that interfaces of domains are plugged into. */
export interface NetworkOps {
  /**
   * What a network is called that a new host is to have, which reaches the outside through the host's own sockets. Absent
   * where there is no such way, or where hosts come with networks of their own.
   */
  readonly first?: string
  list(): Promise<readonly NetworkConfig[]>
  /** Of each of these what it is called: the cheap part. Absent where all costs the same. */
  titles?(): Promise<readonly NetworkTitle[]>
  /**
   * Makes a network or changes one; interfaces that are plugged into it stay plugged; durable when it resolves.
   * `refused` where the host has no such ethernet device, or may not use it, or the tag is none of 802.1Q.
   */
  define(network: NetworkConfig): Promise<void>
  /**
   * Forgets a network. `bad-state` while an interface of a domain that is not halted is plugged into it, `not-found`
   * where there is none of this id. Halted domains that name it are refused their start from then on.
   */
  undefine(id: string): Promise<void>
  /**
   * Which addresses guests of a network have by DHCP, as far as the host has seen who was given what: not what was given
   * before an interface was plugged into it, nor what guests give one another. `not-found` where there is none of this id.
   * Absent where there is no telling.
   */
  leases?(id: string): Promise<readonly NetworkLease[]>
}
