import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import { describe } from 'node:test'
import { type DomainId, DriverError, type GuestInterface } from '../../../src/drivers/driver.ts'
import { disk, network, nic, run, volume, withDevices } from '../parts.ts'
import { NOBODY, rejectsWith, type Stage } from '../stage.ts'

const NS_PER_S = 1_000_000_000n
/** In 2001, when no guest of a test believes to be. */
const THEN = 1_000_000_000n * NS_PER_S
/** How far a clock may have gone until it is read, on a busy machine. */
const LATER = 120n * NS_PER_S

export function describeGuest(stage: Stage): void {
  describe('guest', () => {
    describeQuestions(stage)
    if (stage.traits.guests.includes('talking')) describeTalk(stage)
    if (stage.traits.guests.includes('mute')) describeSilence(stage)
  })
}

function describeTalk(stage: Stage): void {
  stage.it('tells what a guest tells, and tells it what to do', async () => {
    const lab = network()
    await stage.networks.define(lab)
    const [port, place] = [nic(lab.id), await volume(stage, 'data')]
    const id = await run(stage, withDevices(stage, { nics: [port], disks: [disk(place)] }, 'talking'))
    await untilAnswered(stage, id)

    assert.match(await stage.guest.hostName(id), /^[\w.-]+$/)
    assert.notEqual(await stage.guest.isConnected?.(id), false)
    assert(Object.values(await stage.guest.os(id)).some(text => text !== ''))
    for (const source of stage.guest.addressSources) assertInterfaces(await stage.guest.addresses(id, source))
    if (stage.guest.addressSources.includes('agent')) {
      const own = (await stage.guest.addresses(id, 'agent')).find(({ mac }) => mac === port.mac)
      assert((own?.addresses.length ?? 0) > 0, 'the interface of the definition has an address')
    }
    await assertMore(stage, id)
    await assertTold(stage, id)
  })
}

/** What some hosts can ask, and all of them answer in the same form. */
async function assertMore({ guest, driver }: Stage, id: DomainId): Promise<void> {
  const offset = (await guest.timezone?.(id))?.offsetSeconds ?? 0
  assert(Number.isInteger(offset) && Math.abs(offset) <= 86_400)
  for (const { name, loginMs } of (await guest.users?.(id)) ?? []) assert(name !== '' && Number.isInteger(loginMs))
  const known = new Set((await driver.domains.config(id)).disks.map(each => each.id))
  for (const { mountpoint, type, disks } of (await guest.fileSystems?.(id)) ?? []) {
    assert(mountpoint !== '' && type !== '')
    for (const place of disks) assert(place.id === undefined || known.has(place.id))
  }
  const disks = await guest.disks?.(id)
  if (disks !== undefined) assert(disks.some(each => each.id !== undefined && known.has(each.id) && !each.isPartition))
}

/** What a guest does that is told to. */
async function assertTold(stage: Stage, id: DomainId): Promise<void> {
  const { time, setTime, freeze, thaw, trim, requestEnd } = stage.guest
  if (time !== undefined && setTime !== undefined) {
    await setTime(id, 'rtc')
    assert((await time(id)) > THEN + LATER)
    await setTime(id, THEN)
    const now = await time(id)
    assert(now >= THEN && now < THEN + LATER, `${now}`)
  }
  if (freeze !== undefined && thaw !== undefined) assert.equal(await freeze(id), await thaw(id))
  await trim?.(id, 0)
  if (requestEnd === undefined) return
  await requestEnd(id, 'power-off')
  await stage.untilState(id, 'halted')
}

function assertInterfaces(interfaces: readonly GuestInterface[]): void {
  assert.equal(new Set(interfaces.map(({ name }) => name)).size, interfaces.length)
  for (const { name, mac, addresses } of interfaces) {
    assert.notEqual(name, '')
    if (mac !== undefined) assert.match(mac, /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/)
    for (const { family, address, prefix } of addresses) {
      assert((family === 'ipv4' ? isIPv4 : isIPv6)(address), address)
      assert(prefix >= 0 && prefix <= (family === 'ipv4' ? 32 : 128))
    }
  }
}

function describeQuestions(stage: Stage): void {
  stage.it('asks no guest of a domain that does not run, or of none', async () => {
    for (const state of ['halted', 'paused'] as const) {
      const id = await stage.in(state)
      await rejectsWith('bad-state', stage.guest.hostName(id))
      await rejectsWith('bad-state', stage.guest.os(id))
      if (stage.guest.freeze !== undefined) await rejectsWith('bad-state', stage.guest.freeze(id))
      if (state === 'paused') await stage.guest.isConnected?.(id)
      else if (stage.guest.isConnected !== undefined) await rejectsWith('bad-state', stage.guest.isConnected(id))
    }
    await rejectsWith('not-found', stage.guest.hostName(NOBODY))
  })
}

function describeSilence(stage: Stage): void {
  stage.it('says that it is the guest that does not answer', async () => {
    const id = await stage.running('mute')
    const { guest } = stage
    const asked = [
      () => guest.hostName(id),
      () => guest.os(id),
      async () => guest.freeze?.(id) ?? guest.hostName(id),
      async () => guest.requestEnd?.(id, 'power-off') ?? guest.hostName(id),
    ]
    for (const ask of asked) {
      await assert.rejects(ask(), error => {
        assert(error instanceof DriverError, String(error))
        assert.deepEqual([error.kind, error.guest], ['refused', 'silent'])
        return true
      })
    }
    assert.notEqual(await stage.guest.isConnected?.(id), true)
    await stage.assertState(id, 'running')
  })
}

/** Waits until the guest has booted and somebody in it answers. */
async function untilAnswered(stage: Stage, id: DomainId): Promise<void> {
  await stage.until('the guest answers', async () => {
    try {
      await stage.guest.hostName(id)
      return true
    } catch (error) {
      if (!(error instanceof DriverError && error.guest === 'silent')) throw error
      return false
    }
  })
}
