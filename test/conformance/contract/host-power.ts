import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Stage } from '../stage.ts'

/** The power of the machine, which the setting plays. */
export function describeHostPower(stage: Stage): void {
  describe('power of the host', () => {
    for (const deed of ['shutdown', 'reboot'] as const) {
      stage.it(`runs the operator's program for a ${deed}, and it alone`, async () => {
        await stage.power[deed]()

        assert.deepEqual(await stage.setup.powerDeeds?.(), [deed])
      })
    }
  })
}
