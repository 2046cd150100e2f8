import type { DomainId } from '../drivers/driver.ts'
import type { NetworkKeeper } from './kept-networks.ts'
import type { PoolKeeper } from './kept-pools.ts'

/** What is changed of a host, as far as others have to look at it again. */
export type Area = 'domains' | 'networks' | 'storage'

/** Who else uses a host: whom a server that has other clients tells what is changed here. */
export interface Company {
  /** Lets the host know what others have changed that it was not told of yet; undefined where that is nothing. Never rejects. */
  arrived?(): Promise<void> | undefined
  /** Resolves when everybody else knows what has been changed here by now, or cannot be told; never rejects. */
  settled(area: Area): Promise<void>
  /**
   * Changes the definition of a domain while nobody else does, and resolves when everybody else knows it. Rejects with
   * `VIR_ERR_OPERATION_TIMEOUT` where somebody else is at it for too long. Absent: nobody else changes definitions.
   */
  alone?<R>(domain: DomainId, change: () => Promise<R>): Promise<R>
  /** Lets everybody else forget a domain that was undefined here; never rejects. */
  forget?(domain: DomainId): Promise<void>
  /** Who keeps the pools of the host; absent: this process, for as long as it runs. */
  readonly pools?: PoolKeeper
  /** Who keeps what networks of the host say beyond what the host says; absent: nobody. */
  readonly networks?: NetworkKeeper
}

/** Nobody else. */
export const ALONE: Company = { settled: async () => undefined }
