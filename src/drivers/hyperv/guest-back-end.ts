/** The part of a back end that is about guests, and what runs in them for the host's sake. */
export interface GuestBackEnd {
  /** Versions by name; none of a guest that tells none. */
  tools(machineGuid: string): Promise<Readonly<Record<string, string>>>
  /** By machine GUID, at the cost of few. */
  toolsOfAll(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>
  /** What a guest tells of itself, by Hyper-V's names; undefined of one in which nobody answers. */
  items(machineGuid: string): Promise<ReadonlyMap<string, string> | undefined>
  /** What its adapters have of addresses. Absent where the namespace does not tell. */
  networks?(machineGuid: string): Promise<readonly GuestNetwork[]>
}

/** An adapter of a machine, as its guest has configured it. */
export interface GuestNetwork {
  /** The GUID by which the settings of the adapter end, in upper case. */
  readonly adapterGuid: string
  readonly addresses: readonly string[]
  /** Of each address, the mask or the length of the prefix, as the guest writes it. */
  readonly subnets: readonly string[]
}
