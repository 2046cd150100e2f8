// What the scheduling of machines needs of a host, whichever of its namespaces it is told through.

/** What the processors of a machine get of the host's. */
export interface Shares {
  /** 1 to 10,000; 100 is everybody's. */
  readonly weight: number
  /** The most of each processor, in thousandths of a percent. */
  readonly limit: number
  /** What is kept for it of each processor, in thousandths of a percent. */
  readonly reservation: number
  /** What they were read from, for those who change them. */
  readonly processorId: string
}

/** The part of a back end that is about what machines get of processors. */
export interface SchedulingBackEnd {
  /** Whether weight and limit may be changed of a machine that is on. */
  readonly isOnline: boolean
  /** Of a machine that is off, those of its next start. */
  shares(machineGuid: string): Promise<Shares>
  setShares(processorId: string, shares: Pick<Shares, 'weight' | 'limit'>): Promise<void>
}
