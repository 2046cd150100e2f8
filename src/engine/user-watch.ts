import { credential, user } from '../model/index.ts'
import type { Change, Store } from '../store/store.ts'

/** A user who is being watched. */
export interface Watched {
  /** Aborted when the user is deleted, or the password is changed. */
  readonly signal: AbortSignal
  /** Ends the watching. Calling it twice is harmless. */
  release(): void
}

/** Tells of users who no longer are who logged in. */
export class UserWatch {
  readonly #watched = new Map<string, Set<AbortController>>()

  constructor(store: Pick<Store, 'onChange'>) {
    store.onChange(changes => {
      for (const change of changes) if (isEnd(change)) this.#end(change.ref)
    })
  }

  /** Watches a user. */
  watch(ref: string): Watched {
    const controller = new AbortController()
    const all = this.#watched.get(ref) ?? new Set()
    this.#watched.set(ref, all.add(controller))
    return {
      signal: controller.signal,
      release: () => {
        all.delete(controller)
        if (all.size === 0 && this.#watched.get(ref) === all) this.#watched.delete(ref)
      },
    }
  }

  #end(ref: string): void {
    const all = this.#watched.get(ref) ?? []
    this.#watched.delete(ref)
    for (const controller of all) controller.abort()
  }
}

/** That keys were added to a password that stays is none. */
function isEnd({ class: of, kind, fields }: Change): boolean {
  if (of === user.name) return kind === 'del'
  return of === credential.name && (kind === 'del' || (kind === 'mod' && fields.includes('hash')))
}
