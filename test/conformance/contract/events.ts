import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ear } from '../ear.ts'
import type { Stage } from '../stage.ts'

const QUIET_MS = 100

export function describeEvents(stage: Stage): void {
  describe('events', () => {
    describeKinds(stage)
    describeSubscriptions(stage)
    describeGuests(stage)
  })
}

function describeKinds(stage: Stage): void {
  stage.it('tells of each step in the life of a domain, in order', async () => {
    const config = stage.config()
    const ear = new Ear(config.id)
    stage.events.subscribe(ear.listen)

    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    await stage.driver.domains.powerOff(config.id)
    await stage.driver.domains.undefine(config.id)

    await stage.until('the domain is undefined', () => ear.kinds.includes('undefined'))
    const steps = ear.kinds.filter((kind, index) => kind !== ear.kinds[index - 1])
    assert.deepEqual(steps, ['defined', 'changed', 'undefined'])
  })

  stage.it('tells of each change of state after it can be looked up', async () => {
    const id = await stage.halted()
    const ear = new Ear(id)
    const lookups: Promise<string>[] = []
    stage.events.subscribe(event => {
      ear.listen(event)
      if (event.id === id && event.kind === 'changed') lookups.push(stage.state(id))
    })
    const { domains } = stage.driver

    for (const operation of ['start', 'pause', 'unpause', 'powerOff'] as const) {
      const heard = ear.count('changed')
      await domains[operation](id)
      await stage.until(`${operation} is heard`, () => ear.count('changed') > heard)
    }

    assert.equal((await Promise.all(lookups)).at(-1), 'halted')
  })

  stage.it('tells of a definition that is replaced', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    const ear = new Ear(config.id)
    stage.events.subscribe(ear.listen)
    await stage.driver.domains.define({ ...config, name: `${config.name}-renamed` })

    await stage.until('something is heard', () => ear.kinds.length > 0)
    assert(ear.kinds.every(kind => kind === 'defined' || kind === 'changed'))
  })

  stage.it('does not tell of a change that was refused', async () => {
    const id = await stage.halted()
    const ear = new Ear(id)
    stage.events.subscribe(ear.listen)
    await assert.rejects(stage.driver.domains.pause(id))
    await sleep(QUIET_MS)

    assert.deepEqual(ear.kinds, [])
  })
}

function describeSubscriptions(stage: Stage): void {
  stage.it('is quiet for a listener that unsubscribed, also when it does so twice', async () => {
    const id = await stage.halted()
    const [gone, staying] = [new Ear(id), new Ear(id)]
    const unsubscribe = stage.events.subscribe(gone.listen)
    stage.events.subscribe(staying.listen)
    unsubscribe()
    unsubscribe()
    await stage.driver.domains.start(id)

    await stage.until('the other listener hears', () => staying.count('changed') > 0)
    assert.deepEqual(gone.kinds, [])
  })

  stage.it('tells every listener', async () => {
    const id = await stage.halted()
    const ears = [new Ear(id), new Ear(id), new Ear(id)]
    for (const ear of ears) stage.events.subscribe(ear.listen)
    await stage.driver.domains.start(id)

    await stage.until('all listeners hear', () => ears.every(ear => ear.count('changed') > 0))
  })

  stage.it('keeps calling a listener that subscribed twice and unsubscribed once', async () => {
    const id = await stage.halted()
    const ear = new Ear(id)
    const unsubscribe = stage.events.subscribe(ear.listen)
    stage.events.subscribe(ear.listen)
    unsubscribe()
    await stage.driver.domains.start(id)

    await stage.until('the listener hears', () => ear.count('changed') > 0)
  })
}

function describeGuests(stage: Stage): void {
  stage.it('tells that a guest shut itself down', async () => {
    const id = await stage.running()
    const ear = new Ear(id)
    stage.events.subscribe(ear.listen)
    if (stage.driver.consoles !== undefined) await stage.untilBooted(id)
    await stage.driver.domains.requestShutdown(id)

    await stage.until('both events are heard', () => ear.count('guest-shutdown') > 0 && ear.count('changed') > 0)
    await stage.untilState(id, 'halted')
  })

  if (!stage.traits.guests.includes('crashing')) return

  stage.it('tells of a crash before the change that follows from it', async () => {
    const id = await stage.halted('crashing')
    const ear = new Ear(id)
    stage.events.subscribe(ear.listen)
    await stage.driver.domains.start(id)

    await stage.until('the change is heard', () => ear.kinds.indexOf('crashed') >= 0 && ear.kinds.at(-1) === 'changed')
    assert.equal(ear.count('crashed'), 1)
  })
}
