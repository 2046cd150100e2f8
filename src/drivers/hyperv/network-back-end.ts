// What networks and the adapters of machines need of a host, whichever of its namespaces it is told through.

/** A virtual switch. */
export interface Switch {
  /** How the host names it, in upper case. */
  readonly guid: string
  readonly name: string
  readonly notes: string
  /** The name of the host's card through which it reaches the outside; empty where it does not. */
  readonly uplink: string
  /** Whether the host has a port on it; undefined where it was not asked for. */
  readonly hasHost?: boolean
}

/** A switch that is to be made. */
export interface NewSwitch extends Omit<Switch, 'guid'> {
  /** Of its network: what the switch is called where that may be chosen. */
  readonly id: string
}

/** The cable between an adapter and a switch. */
export interface Cable {
  readonly id: string
  /** Of the switch; undefined where it ends nowhere. */
  readonly switchGuid: string | undefined
  readonly machineGuid: string
}

/** Synthetic adapters need a driver in the guest; emulated ones are of a kind that every guest knows. */
export type AdapterKind = 'emulated' | 'paravirtualised'

/** A network adapter of a machine. */
export interface Adapter {
  readonly id: string
  readonly kind: AdapterKind
  readonly label: string
  /** Twelve digits in upper case. */
  readonly mac: string
  /** Its tag is undefined where it was not asked for. */
  readonly cable: (Cable & { readonly vlan: number | null | undefined }) | undefined
}

/** An adapter that is to be made. */
export type NewAdapter = Pick<Adapter, 'kind' | 'label' | 'mac'>

/** Where a cable leads, and the tag of what goes through it. */
export interface Plug {
  readonly switchGuid: string
  readonly vlan: number | null
}

/** The part of a back end that is about networks. */
export interface NetworkBackEnd {
  /** Whether the name of a switch can be changed. */
  readonly renamesSwitches: boolean
  /** Whether a switch can be made on which the host has a port. */
  readonly plugsHost: boolean
  switches(): Promise<readonly Switch[]>
  /** As `switches`, without what their uplinks are. */
  switchTitles(): Promise<readonly Omit<Switch, 'uplink'>[]>
  /** The names of the host's own cards. */
  cards(): Promise<readonly string[]>
  makeSwitch(made: NewSwitch): Promise<void>
  /** Where switches cannot be renamed, the name is the one that it has. */
  changeSwitch(guid: string, change: Pick<Switch, 'name' | 'notes'>): Promise<void>
  /** Leads a switch to the outside through another card, or through none. */
  bindSwitch(guid: string, uplink: string): Promise<void>
  destroySwitch(guid: string): Promise<void>
  /** The cables of all machines. */
  cables(): Promise<readonly Cable[]>
  adapters(machineGuid: string): Promise<readonly Adapter[]>
  /** These adapters of a machine, with the tags of their cables. */
  tagged(machineGuid: string, adapters: readonly Adapter[]): Promise<readonly Adapter[]>
  addAdapter(machineGuid: string, adapter: NewAdapter): Promise<Pick<Adapter, 'id' | 'kind'>>
  removeAdapter(adapter: Pick<Adapter, 'id' | 'kind' | 'cable'>): Promise<void>
  plug(machineGuid: string, adapter: Pick<Adapter, 'id' | 'kind'>, plug: Plug): Promise<void>
  unplug(cableId: string): Promise<void>
  /** Changes the tag of what goes through a cable. */
  tag(cableId: string, vlan: number | null): Promise<void>
}
