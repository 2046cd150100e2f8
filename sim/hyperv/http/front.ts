import type { Authority } from './authentication.ts'
import type { HeldBytes } from './body.ts'
import type { FrontLimits } from './limits.ts'
import type { FrontService } from './options.ts'

/** What all connections of a listener share. */
export interface Front {
  readonly authority: Authority
  readonly limits: FrontLimits
  readonly service: FrontService
  readonly held: HeldBytes
  /** Requests that the service is at work on. */
  handled: number
  onFailure(error: unknown): void
}
