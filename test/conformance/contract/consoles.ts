import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

const PLENTY_BYTES = 65_536

export function describeConsoles(stage: Stage): void {
  describe('consoles', () => {
    describeReading(stage)
    describeLives(stage)
  })
}

function describeReading(stage: Stage): void {
  stage.it('has printed nothing for a domain that never ran', async () => {
    const id = await stage.halted()

    const { data, next } = await stage.consoles.readSerial(id, 0, PLENTY_BYTES)
    assert.equal(data.length, 0)
    assert.equal(next, 0)
  })

  stage.it('reads what the guest prints', async () => {
    const id = await stage.running()

    await stage.untilBooted(id)
  })

  stage.it('reads more as the guest prints more', async () => {
    const id = await stage.running()
    await stage.untilBooted(id)
    const { next } = await stage.consoles.readSerial(id, 0, PLENTY_BYTES)

    await stage.until('the guest prints on', async () => {
      return (await stage.consoles.readSerial(id, next, PLENTY_BYTES)).data.length > 0
    })
  })

  stage.it('gives the same bytes in small pieces as in large ones, and never more than it is asked for', async () => {
    const PIECE_BYTES = 3
    const id = await stage.running()
    await stage.untilBooted(id)
    await stage.driver.domains.powerOff(id)

    let pieces = ''
    for (let from = 0; ; ) {
      const { data, next } = await stage.consoles.readSerial(id, from, PIECE_BYTES)
      assert(data.length <= PIECE_BYTES)
      assert.equal(next, from + data.length)
      if (data.length === 0) break
      pieces += Buffer.from(data).toString('latin1')
      from = next
    }
    assert.equal(pieces, await stage.serial(id))
  })

  stage.it('says not-found to the serial port of a domain that the host does not have', async () => {
    await rejectsWith('not-found', stage.consoles.readSerial(NOBODY, 0, PLENTY_BYTES))
  })
}

/** What the port keeps over the lives of its domain. */
function describeLives(stage: Stage): void {
  stage.it('keeps the output of a halted guest, and counts on from it at the next start', async () => {
    const id = await stage.running()
    await stage.untilBooted(id)
    await stage.driver.domains.powerOff(id)
    const before = await stage.serial(id)
    assert.match(before, /BOOT-OK/)
    await stage.driver.domains.start(id)

    await stage.until('the second boot is printed', async () => {
      const { data } = await stage.consoles.readSerial(id, before.length, PLENTY_BYTES)
      return Buffer.from(data).includes('BOOT-OK')
    })
  })

  stage.it('has printed nothing for a domain made anew under an id that was undefined', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.driver.domains.start(config.id)
    await stage.untilBooted(config.id)
    await stage.driver.domains.powerOff(config.id)
    await stage.driver.domains.undefine(config.id)
    await stage.driver.domains.define(config)

    assert.equal(await stage.serial(config.id), '')
  })
}
