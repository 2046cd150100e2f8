import type { Contexts } from './contexts.ts'
import { refuse, type WsmanFault } from './fault.ts'
import type { WinrmLimits } from './limits.ts'

/**
 * How many operations each user has under way. An enumeration that is open is one, which is how clients that leave
 * them open lock themselves out of a Server 2008 R2.
 */
export class Operations {
  readonly #limits: WinrmLimits
  readonly #contexts: Contexts
  readonly #running = new Map<string, number>()

  constructor(limits: WinrmLimits, contexts: Contexts) {
    this.#limits = limits
    this.#contexts = contexts
  }

  /**
   * Begins an operation and gives what ends it. Throws the fault of the quota; what goes on with an enumeration is not
   * `isNew` and always allowed.
   */
  begin(user: string, isNew: boolean): () => void {
    if (!isNew) return () => undefined
    const key = user.toLowerCase()
    const running = this.#running.get(key) ?? 0
    if (running + this.#contexts.countOf(user) >= this.#limits.maxOperationsPerUser) throw this.excess()
    this.#running.set(key, running + 1)
    return () => this.#end(key)
  }

  /** The fault of a user who has too many operations under way. */
  excess(): WsmanFault {
    const count = this.#limits.maxOperationsPerUser
    return refuse(
      'too-many-operations',
      `This user is allowed ${count} concurrent operations, which has been exceeded. `,
      `このユーザーに許可されている同時操作の最大数 ${count} を超えました。 `,
    )
  }

  #end(key: string): void {
    const running = (this.#running.get(key) ?? 1) - 1
    if (running > 0) this.#running.set(key, running)
    else this.#running.delete(key)
  }
}
