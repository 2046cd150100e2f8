import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

/** Codes of Linux's input events. Source: linux/input-event-codes.h. */
const KEY = { a: 30, enter: 28, leftCtrl: 29, leftAlt: 56, f1: 59 } as const
/** Codes that no keyboard has. */
const NO_KEYS = [0, -1, 1.5, 100_000]

export function describeScreens(stage: Stage): void {
  describe('screens', () => {
    describePictures(stage)
    describeKeys(stage)
  })
}

function describePictures(stage: Stage): void {
  stage.it('shows what a guest shows, running and paused', async () => {
    const id = await stage.booted()
    for (const state of ['running', 'paused'] as const) {
      if (state === 'paused') await stage.driver.domains.pause(id)
      const { width, height, pixels } = await stage.screens.screenshot(id)

      assert(width > 0 && height > 0)
      assert.equal(pixels.length, width * height * 3)
      const colours = new Set<string>()
      for (let at = 0; at < pixels.length; at += 3) colours.add(pixels.subarray(at, at + 3).join())
      assert(colours.size > 1, 'a picture is of more than one colour')
      await stage.assertState(id, state)
    }
  })

  stage.it('shows nothing of a halted domain, or of none', async () => {
    await rejectsWith('bad-state', stage.screens.screenshot(await stage.halted()))
    await rejectsWith('not-found', stage.screens.screenshot(NOBODY))
  })

  if (stage.traits.groups.includes('suspension')) {
    stage.it('shows nothing of a suspended domain', async () => {
      const id = await stage.booted()
      await stage.suspension.suspend(id)

      await rejectsWith('bad-state', stage.screens.screenshot(id))
      await rejectsWith('bad-state', stage.screens.pressKeys(id, [KEY.a], 0))
    })
  }
}

function describeKeys(stage: Stage): void {
  stage.it('presses one key, several at once, and none', async () => {
    const id = await stage.booted()
    for (const keys of [[KEY.enter], [KEY.leftCtrl, KEY.leftAlt, KEY.f1], []]) {
      await stage.screens.pressKeys(id, keys, 10)
    }

    await stage.assertState(id, 'running')
  })

  stage.it('refuses keys that no keyboard has, and to hold keys for less than no time', async () => {
    const id = await stage.running()
    for (const key of NO_KEYS) await rejectsWith('refused', stage.screens.pressKeys(id, [KEY.a, key], 0))
    for (const holdMs of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await rejectsWith('refused', stage.screens.pressKeys(id, [KEY.a], holdMs))
    }

    await stage.assertState(id, 'running')
  })

  stage.it('presses no keys of a paused or halted domain, or of none', async () => {
    await rejectsWith('bad-state', stage.screens.pressKeys(await stage.paused(), [KEY.a], 0))
    await rejectsWith('bad-state', stage.screens.pressKeys(await stage.halted(), [KEY.a], 0))
    await rejectsWith('not-found', stage.screens.pressKeys(NOBODY, [KEY.a], 0))
  })
}
