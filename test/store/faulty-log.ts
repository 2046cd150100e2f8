import { type Batch, type Log, LogFailure } from '../../src/store/log.ts'

/** A log that does what its test tells it. */
export interface FaultyLog extends Log {
  /** Every batch it was given, failed ones included. */
  readonly batches: readonly Batch[]
  /** The append of this number, counted from 1, fails; and with `forGood`, so does everything after it. */
  failAppend(number: number, options?: { readonly forGood?: boolean }): void
  /** None fails any more. */
  failNone(): void
  /** Holds every append back until the function it returns is called. */
  hold(): () => void
}

/** Puts faults before a log. */
export function faultyLog(inner: Log): FaultyLog {
  const batches: Batch[] = []
  const failing = new Map<number, boolean>()
  let held = Promise.resolve()
  let ended = false

  async function append(batch: Batch): Promise<void> {
    batches.push(batch)
    const number = batches.length
    await held
    const forGood = failing.get(number)
    ended ||= forGood === true
    if (ended || forGood !== undefined) throw new LogFailure('the disk is full', { forGood: ended })
    await inner.append(batch)
  }

  return {
    batches,
    place: inner.place,
    append,
    load: reader => inner.load(reader),
    acquireLease: (name, owner, ttlMs) => inner.acquireLease(name, owner, ttlMs),
    renewLease: (lease, ttlMs) => inner.renewLease(lease, ttlMs),
    releaseLease: lease => inner.releaseLease(lease),
    close: () => inner.close(),
    failNone: () => failing.clear(),
    failAppend: (number, { forGood = false } = {}) => failing.set(number, forGood),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      held = promise
      return resolve
    },
  }
}
