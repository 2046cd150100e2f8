import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../src/store/clock.ts'
import { holdLease, LEASE_RENEWAL_MS, LEASE_TTL_MS } from '../../src/store/lease.ts'
import { type Log, LogFailure } from '../../src/store/log.ts'
import { memoryLog, MemoryLogContents } from '../../src/store/memory-log.ts'

/** A clock that moves when it is told to. */
function handClock() {
  let now = 0
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()
  const clock: Clock = {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  async function advance(ms: number): Promise<void> {
    const end = now + ms
    for (;;) {
      const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (next === undefined) break
      now = next.at
      timers.delete(next)
      next.run()
      await new Promise(resolve => setImmediate(resolve))
    }
    now = end
  }
  return { clock, advance, waiting: () => timers.size }
}

async function setUp() {
  const { clock, advance, waiting } = handClock()
  const log = memoryLog(new MemoryLogContents(), clock)
  await log.load({ object: () => {}, change: () => {} })
  return { log, clock, advance, waiting }
}

/** The same log, where renewing does something else. */
const withRenewal = (log: Log, renewLease: Log['renewLease']): Log => ({
  place: log.place,
  load: reader => log.load(reader),
  append: batch => log.append(batch),
  acquireLease: (name, owner, ttlMs) => log.acquireLease(name, owner, ttlMs),
  renewLease,
  releaseLease: lease => log.releaseLease(lease),
  close: () => log.close(),
})

describe('a lease', () => {
  it('is held by one owner at a time, and every holder has a larger fence', async () => {
    const { log, clock } = await setUp()

    const mine = await holdLease(log, clock, 'host', 'me')
    const theirs = await holdLease(log, clock, 'host', 'they')
    const other = await holdLease(log, clock, 'other host', 'they')
    await mine?.release()
    await mine?.release()
    const next = await holdLease(log, clock, 'host', 'they')

    assert.deepEqual([mine?.fence, theirs, other?.fence, next?.fence], [1, undefined, 1, 2])
    assert.deepEqual([mine?.signal.aborted, next?.signal.aborted], [true, false])
  })

  it('is kept for as long as its holder lives', async () => {
    const { log, clock, advance } = await setUp()
    const lease = await holdLease(log, clock, 'host', 'me')

    await advance(10 * LEASE_TTL_MS)

    assert.equal(lease?.signal.aborted, false)
    assert.equal(await holdLease(log, clock, 'host', 'they'), undefined)
  })

  it('is lost at once when another owner has it', async () => {
    const { log, clock, advance, waiting } = await setUp()
    const lease = await holdLease(
      withRenewal(log, async () => false),
      clock,
      'host',
      'me',
    )

    await advance(LEASE_RENEWAL_MS)

    assert.match(String(lease?.signal.reason), /another owner/)
    assert.equal(waiting(), 0)
  })

  it('survives a log that is silent for a while, and is lost before another could have it', async () => {
    const { log, clock, advance, waiting } = await setUp()
    let isSilent = false
    let renewedAt = 0
    const flaky = withRenewal(log, async (lease, ttlMs) => {
      if (isSilent) throw new LogFailure('no answer', { forGood: false })
      renewedAt = clock.now()
      return log.renewLease(lease, ttlMs)
    })
    const lease = await holdLease(flaky, clock, 'host', 'me')

    isSilent = true
    await advance(2 * LEASE_RENEWAL_MS)
    isSilent = false
    await advance(LEASE_TTL_MS)
    assert.equal(lease?.signal.aborted, false)

    isSilent = true
    await advance(renewedAt + LEASE_TTL_MS - 1 - clock.now())
    assert.equal(lease?.signal.aborted, false)
    assert.equal(await holdLease(log, clock, 'host', 'they'), undefined)
    await advance(1)
    assert.match(String(lease?.signal.reason), /in time/)
    assert.equal((await holdLease(log, clock, 'host', 'they'))?.fence, 2)
    assert.equal(waiting(), 2)
  })
})
