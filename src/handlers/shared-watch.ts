import type { Services } from '../engine/context.ts'
import { Hearing } from './hearing.ts'

type Store = Services['store']
type Changes = Parameters<Parameters<Store['onChange']>[0]>[0]

/** What is watched, and how it is told of. */
export interface Watched<T, News> {
  /** All things there are, as they are seen. */
  readonly list: () => readonly T[]
  readonly keyOf: (thing: T) => string
  /** Whether any of these things may have become another by what changed. */
  readonly isConcerned: (changes: Changes) => boolean
  /** What is told of a thing that was, and is now, when it is looked at for these changes. */
  readonly newsOf: (changes: Changes) => (before: T | undefined, now: T | undefined) => readonly News[]
}

/** Tells all who listen what becomes of things: those are listed once for everybody, and only while somebody listens. */
class SharedWatch<T, News> {
  readonly #watched: Watched<T, News>
  readonly #hearing: Hearing<T>
  // By subscription, not by listener: one function may listen twice.
  readonly #listeners = new Map<symbol, (news: News) => void>()

  constructor(watched: Watched<T, News>) {
    this.#watched = watched
    this.#hearing = new Hearing(watched.list(), watched.keyOf)
  }

  /** Of what has happened by now, whoever listened before is told first. */
  add(listener: (news: News) => void): symbol {
    this.#look([])
    const subscription = Symbol('subscription')
    this.#listeners.set(subscription, listener)
    return subscription
  }

  /** Whether somebody listens still. */
  remove(subscription: symbol): boolean {
    this.#listeners.delete(subscription)
    return this.#listeners.size > 0
  }

  hear(changes: Changes): void {
    if (this.#watched.isConcerned(changes)) this.#look(changes)
  }

  /** Whoever throws, which nobody should, keeps nobody else from hearing; the first of them is told of. */
  tell(all: readonly News[]): void {
    const faults: unknown[] = []
    for (const news of all) {
      for (const listener of this.#listeners.values()) {
        try {
          listener(news)
        } catch (error) {
          faults.push(error)
        }
      }
    }
    if (faults.length > 0) throw faults[0]
  }

  #look(changes: Changes): void {
    const newsOf = this.#watched.newsOf(changes)
    this.tell(this.#hearing.hear(this.#watched.list()).flatMap(({ before, now }) => newsOf(before, now)))
  }
}

/** The watches of one kind of things, by store and host. */
export class SharedWatches<T, News> {
  readonly #stores = new WeakMap<Store, Map<string, SharedWatch<T, News>>>()

  /** Calls `listener`, which must not throw, with what becomes of the things of a host from now on; answers what ends it. */
  listen(store: Store, host: string, watched: Watched<T, News>, listener: (news: News) => void): () => void {
    const watches = this.#stores.get(store) ?? this.#begin(store)
    const watch = watches.get(host) ?? new SharedWatch(watched)
    watches.set(host, watch)
    const subscription = watch.add(listener)
    return () => {
      if (!watch.remove(subscription) && watches.get(host) === watch) watches.delete(host)
    }
  }

  /** Tells all who listen to a host something that shows in nothing that is watched. */
  tell(store: Store, host: string, news: News): void {
    this.#stores.get(store)?.get(host)?.tell([news])
  }

  /** One listener of the store for all hosts, for as long as there is the store. */
  #begin(store: Store): Map<string, SharedWatch<T, News>> {
    const watches = new Map<string, SharedWatch<T, News>>()
    this.#stores.set(store, watches)
    store.onChange(changes => {
      for (const watch of watches.values()) watch.hear(changes)
    })
    return watches
  }
}
