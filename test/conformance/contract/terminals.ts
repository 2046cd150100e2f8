import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { describe } from 'node:test'
import type { ConsoleKind } from '../../../src/drivers/driver.ts'
import { RfbClient } from '../../support/rfb-client.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

const KINDS = ['serial', 'vnc'] as const satisfies readonly ConsoleKind[]

export function describeTerminals(stage: Stage): void {
  describe('terminals', () => {
    describeKinds(stage)
    describeSerial(stage)
    describeVnc(stage)
    describeEnds(stage)
  })
}

/** A console that is read all the time: what was heard, and whether it has ended. */
async function listenTo(stage: Stage, id: string, kind: ConsoleKind) {
  const wire: Duplex = await stage.terminals.open(id, kind)
  const heard = { wire, text: '', hasEnded: false }
  wire.on('data', (chunk: Buffer) => (heard.text += chunk.toString('latin1')))
  // A console that is cut off may end in an error; it has ended.
  wire.on('error', () => (heard.hasEnded = true))
  wire.on('close', () => (heard.hasEnded = true))
  wire.on('end', () => (heard.hasEnded = true))
  return heard
}

function describeKinds(stage: Stage): void {
  stage.it('has consoles for a running and a paused domain, and none for a halted one', async () => {
    const id = await stage.halted()
    assert.deepEqual(await stage.terminals.kinds(id), [])
    await stage.driver.domains.start(id)
    assert.deepEqual((await stage.terminals.kinds(id)).toSorted(), [...KINDS])
    await stage.driver.domains.pause(id)
    assert.deepEqual((await stage.terminals.kinds(id)).toSorted(), [...KINDS])
    await stage.driver.domains.powerOff(id)

    assert.deepEqual(await stage.terminals.kinds(id), [])
  })

  stage.it('opens no console of a halted domain', async () => {
    const id = await stage.halted()

    for (const kind of KINDS) await rejectsWith('bad-state', stage.terminals.open(id, kind))
  })

  stage.it('has no serial console where the definition has no serial port', async () => {
    const config = { ...stage.config(), platform: { serial: 'none' } as const }
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)

    assert.deepEqual(await stage.terminals.kinds(config.id), ['vnc'])
    await rejectsWith('bad-state', stage.terminals.open(config.id, 'serial'))
  })

  stage.it('says not-found to consoles of a domain that the host does not have', async () => {
    await rejectsWith('not-found', stage.terminals.kinds(NOBODY))
    for (const kind of KINDS) await rejectsWith('not-found', stage.terminals.open(NOBODY, kind))
  })

  if (!stage.traits.groups.includes('suspension')) return

  stage.it('ends the consoles of a domain that is suspended, and has new ones when it is resumed', async () => {
    const id = await stage.booted()
    const heard = await listenTo(stage, id, 'serial')
    await stage.suspension.suspend(id)
    await stage.until('the console ends', () => heard.hasEnded)
    assert.deepEqual(await stage.terminals.kinds(id), [])
    await rejectsWith('bad-state', stage.terminals.open(id, 'serial'))
    await stage.suspension.resume(id)

    const again = await listenTo(stage, id, 'serial')
    await stage.until('the guest prints on', () => again.text !== '')
    again.wire.destroy()
  })
}

function describeSerial(stage: Stage): void {
  stage.it('plays what the guest prints while it prints it', async () => {
    const id = await stage.paused()
    const heard = await listenTo(stage, id, 'serial')
    await stage.driver.domains.unpause(id)

    await stage.until('the boot is heard', () => heard.text.includes('BOOT-OK'))
    const { length } = heard.text
    await stage.until('more is heard', () => heard.text.length > length)
    heard.wire.destroy()
  })

  stage.it('takes what is typed to the guest', async () => {
    const id = await stage.booted()
    const heard = await listenTo(stage, id, 'serial')
    heard.wire.write('p')

    await stage.untilState(id, 'halted')
    await stage.until('the console ends', () => heard.hasEnded)
  })

  stage.it('plays to several at once, and on to one when the other has left', async () => {
    const id = await stage.booted()
    const [first, second] = [await listenTo(stage, id, 'serial'), await listenTo(stage, id, 'serial')]
    await stage.until('both hear', () => first.text !== '' && second.text !== '')
    first.wire.destroy()
    const { length } = second.text

    await stage.until('the second hears more', () => second.text.length > length)
    second.wire.destroy()
    await stage.assertState(id, 'running')
  })

  if (!stage.traits.groups.includes('consoles')) return

  stage.it('keeps in the log what a console plays', async () => {
    const id = await stage.paused()
    const heard = await listenTo(stage, id, 'serial')
    await stage.driver.domains.unpause(id)
    await stage.until('the boot is heard', () => heard.text.includes('BOOT-OK'))
    heard.wire.destroy()

    assert((await stage.serial(id)).includes(heard.text))
  })
}

function describeVnc(stage: Stage): void {
  stage.it('shows a picture to a client of the RFB protocol, and another when it asks again', async () => {
    const id = await stage.booted()
    const wire = await stage.terminals.open(id, 'vnc')
    const client = new RfbClient(wire)
    await client.shakeHands()
    const { width, height, pixels } = await client.picture()

    assert(width > 0 && height > 0)
    assert.equal(pixels.length, width * height * 4)
    await client.picture()
    wire.destroy()
    await stage.assertState(id, 'running')
  })

  stage.it('shows pictures to two clients at once', async () => {
    const id = await stage.booted()
    const wires = [await stage.terminals.open(id, 'vnc'), await stage.terminals.open(id, 'vnc')]
    const pictures = wires.map(async wire => {
      const client = new RfbClient(wire)
      await client.shakeHands()
      return client.picture()
    })

    for (const { pixels } of await Promise.all(pictures)) assert(pixels.length > 0)
    for (const wire of wires) wire.destroy()
  })
}

function describeEnds(stage: Stage): void {
  for (const kind of KINDS) {
    stage.it(`ends a ${kind} console when the domain halts`, async () => {
      const id = await stage.booted()
      const heard = await listenTo(stage, id, kind)
      await stage.driver.domains.powerOff(id)

      await stage.until('the console ends', () => heard.hasEnded)
    })

    stage.it(`ends a ${kind} console when the connection is closed, and opens one on the next`, async () => {
      const id = await stage.booted()
      const heard = await listenTo(stage, id, kind)
      await stage.disconnect()
      await stage.until('the console ends', () => heard.hasEnded)
      if (!stage.traits.outlivesConnection) return
      await stage.connect()
      await stage.assertState(id, 'running')

      const again = await listenTo(stage, id, kind)
      await stage.until('something is heard', () => again.text !== '')
      again.wire.destroy()
    })
  }
}
