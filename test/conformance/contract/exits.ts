import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DomainEvent, DomainId, ExitActions } from '../../../src/drivers/driver.ts'
import { Ear } from '../ear.ts'
import type { Guest } from '../setting.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'

/** How guests end by themselves: which do so, and what is heard of it. */
const ENDINGS = [
  { ending: 'reboot', guest: 'rebooting', event: 'guest-reset', byDefault: 'restart' },
  { ending: 'suspend', guest: 'suspending', event: 'guest-suspended', byDefault: 'halt' },
  { ending: 'crash', guest: 'crashing', event: 'crashed', byDefault: 'halt' },
] as const

const HALT: ExitActions = { shutdown: 'halt', reboot: 'halt', suspend: 'halt', crash: 'halt' }
const QUIET_MS = 300

export function describeExits(stage: Stage): void {
  describe('exits', () => {
    describeShutdown(stage)
    describeEndings(stage)
    if (stage.traits.guests.includes('crashing')) describeHeld(stage)
    if (stage.traits.outlivesConnection) describeNobody(stage)
  })
}

/** A running domain whose guest ends in its own way, an ear on it, and the actions that its end has. */
async function started(
  stage: Stage,
  guest: Guest,
  exits?: Partial<ExitActions>,
): Promise<{ id: DomainId; ear: Ear; count: (kind: DomainEvent['kind']) => number }> {
  const config = stage.config(guest)
  const ear = new Ear(config.id)
  stage.driver.events?.subscribe(ear.listen)
  await stage.driver.domains.define(exits === undefined ? config : { ...config, exits: { ...HALT, ...exits } })
  await stage.driver.domains.start(config.id)
  return { id: config.id, ear, count: kind => ear.count(kind) }
}

/** How often the guest has booted, where the driver can tell. */
async function boots(stage: Stage, id: DomainId): Promise<number> {
  return (await stage.serial(id)).split('BOOT-OK').length - 1
}

function describeShutdown(stage: Stage): void {
  stage.it('halts a domain whose guest shuts down, where its definition says so', async () => {
    const { id } = await started(stage, 'obedient', { shutdown: 'halt' })
    if (stage.driver.consoles !== undefined) await stage.untilBooted(id)
    await stage.driver.domains.requestShutdown(id)

    await stage.untilState(id, 'halted')
  })

  if (!stage.traits.groups.includes('consoles')) return

  stage.it('boots a guest again that shuts down, where its definition says so', async () => {
    const { id, count } = await started(stage, 'obedient', { shutdown: 'restart' })
    await stage.untilBooted(id)
    await stage.driver.domains.requestShutdown(id)

    await stage.until('the guest boots again', async () => (await boots(stage, id)) === 2)
    await stage.assertState(id, 'running')
    if (stage.driver.events !== undefined) {
      await stage.until('its shutdown is heard', () => count('guest-shutdown') === 1)
    }
  })

  stage.it('counts actions at once that are given while the domain runs', async () => {
    const config = { ...stage.config(), exits: HALT }
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    await stage.untilBooted(config.id)
    await stage.driver.domains.define({ ...config, exits: { ...HALT, shutdown: 'restart' } })
    await stage.driver.domains.requestShutdown(config.id)
    await stage.until('the guest boots again', async () => (await boots(stage, config.id)) === 2)

    await stage.driver.domains.define(config)
    await stage.driver.domains.requestShutdown(config.id)
    await stage.untilState(config.id, 'halted')
  })
}

function describeEndings(stage: Stage): void {
  for (const { ending, guest, event, byDefault } of ENDINGS) {
    if (!stage.traits.guests.includes(guest)) continue
    const halts = async ({ id, count }: Awaited<ReturnType<typeof started>>) => {
      await stage.untilState(id, 'halted')
      if (stage.driver.events !== undefined) await stage.until(`${event} is heard`, () => count(event) === 1)
      await stage.driver.domains.undefine(id)
    }
    const restarts = async ({ id, count }: Awaited<ReturnType<typeof started>>) => {
      if (stage.driver.events !== undefined) await stage.until(`${event} is heard twice`, () => count(event) >= 2)
      if (stage.driver.consoles !== undefined) {
        await stage.until('the guest boots again', async () => (await boots(stage, id)) >= 2)
      }
      await stage.assertState(id, 'running')
      await stage.driver.domains.powerOff(id)
      await stage.assertState(id, 'halted')
    }

    stage.it(`halts a domain after a ${ending} of its guest, where its definition says so`, async () => {
      await halts(await started(stage, guest, { [ending]: 'halt' }))
    })

    stage.it(`restarts a domain after a ${ending} of its guest, where its definition says so`, async () => {
      await restarts(await started(stage, guest, { [ending]: 'restart' }))
    })

    stage.it(`does "${byDefault}" after a ${ending} of its guest, where its definition says nothing`, async () => {
      await (byDefault === 'halt' ? halts : restarts)(await started(stage, guest))
    })
  }
}

/** What a held crash puts up with. */
function describeHeld(stage: Stage): void {
  const held = async () => {
    const { id } = await started(stage, 'crashing', { crash: 'hold' })
    await stage.untilState(id, 'crashed')
    return id
  }

  for (const operation of ['start', 'pause', 'unpause', 'requestShutdown', 'undefine'] as const) {
    stage.it(`refuses ${operation} of a crashed domain, and leaves it crashed`, async () => {
      const id = await held()

      await rejectsWith('bad-state', stage.driver.domains[operation](id))
      await stage.assertState(id, 'crashed')
    })
  }

  stage.it('resets a crashed domain, whose guest then crashes again', async () => {
    const { id, count } = await started(stage, 'crashing', { crash: 'hold' })
    await stage.untilState(id, 'crashed')
    await stage.driver.domains.reset(id)

    if (stage.driver.events !== undefined) await stage.until('a second crash is heard', () => count('crashed') === 2)
    await stage.untilState(id, 'crashed')
  })

  stage.it('halts a crashed domain whose power is cut', async () => {
    const id = await held()
    await stage.driver.domains.powerOff(id)

    await stage.assertState(id, 'halted')
    await stage.driver.domains.undefine(id)
  })
}

function describeNobody(stage: Stage): void {
  for (const { guest, ending, next } of [
    { guest: 'crashing', ending: { crash: 'hold' }, next: 'crashed' },
    { guest: 'suspending', ending: { suspend: 'halt' }, next: 'halted' },
  ] as const) {
    if (!stage.traits.guests.includes(guest)) continue

    stage.it(`leaves a domain ${next} whose ${guest} guest ended while nobody was connected`, async () => {
      const { id } = await started(stage, guest, ending)
      await stage.disconnect()
      await sleep(QUIET_MS)
      await stage.connect()

      await stage.untilState(id, next)
    })
  }

  if (!stage.traits.groups.includes('consoles')) return

  stage.it('restarts a guest that shuts down while nobody is connected', async () => {
    const { id } = await started(stage, 'obedient', { shutdown: 'restart' })
    await stage.untilBooted(id)
    await stage.driver.domains.requestShutdown(id)
    await stage.disconnect()
    await sleep(QUIET_MS)
    await stage.connect()

    await stage.until('the guest boots again', async () => (await boots(stage, id)) === 2)
    assert.equal(await stage.state(id), 'running')
  })
}
