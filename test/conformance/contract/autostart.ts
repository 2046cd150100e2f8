import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { StartupAction } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

const ACTIONS: readonly StartupAction[] = ['always', 'if-was-running', 'never']

export function describeAutostart(stage: Stage): void {
  describe('autostart', () => {
    stage.it('remembers each of the three actions, of a domain in whatever state', async () => {
      const id = await stage.halted()
      const assertRemembers = async () => {
        for (const action of ACTIONS) {
          await stage.autostart.set(id, action)
          assert.equal(await stage.autostart.get(id), action)
        }
      }
      await assertRemembers()
      await stage.driver.domains.start(id)
      await assertRemembers()
      await stage.driver.domains.pause(id)
      await assertRemembers()
      await stage.assertState(id, 'paused')
    })

    stage.it('keeps the action when the domain is defined anew and when its power is cut', async () => {
      const config = stage.config()
      await stage.driver.domains.define(config)
      await stage.autostart.set(config.id, 'always')
      await stage.driver.domains.define({ ...config, description: 'other' })
      await stage.driver.domains.start(config.id)
      await stage.driver.domains.powerOff(config.id)

      assert.equal(await stage.autostart.get(config.id), 'always')
      assert.deepEqual(await stage.driver.domains.config(config.id), { ...config, description: 'other' })
    })

    stage.it('sets the action of the domain that is meant, and of no other', async () => {
      const [one, other] = [await stage.halted(), await stage.halted()]
      await stage.autostart.set(one, 'never')
      await stage.autostart.set(other, 'always')

      assert.deepEqual([await stage.autostart.get(one), await stage.autostart.get(other)], ['never', 'always'])
    })

    if (stage.traits.outlivesConnection) {
      stage.it('finds the action again after a new connection', async () => {
        const id = await stage.halted()
        await stage.autostart.set(id, 'always')
        await stage.disconnect()
        await stage.connect()

        assert.equal(await stage.autostart.get(id), 'always')
      })
    }

    stage.it('says not-found to the startup of a domain that the host does not have', async () => {
      await rejectsWith('not-found', stage.autostart.get(NOBODY))
      await rejectsWith('not-found', stage.autostart.set(NOBODY, 'always'))
    })
  })
}
