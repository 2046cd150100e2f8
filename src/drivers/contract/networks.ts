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
}
