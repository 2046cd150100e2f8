/** The part of a back end that is about what runs in guests for the host's sake. */
export interface GuestBackEnd {
  /** Versions by name; none of a guest that tells none. */
  tools(machineGuid: string): Promise<Readonly<Record<string, string>>>
  /** By machine GUID, at the cost of few. */
  toolsOfAll(): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>>
}
