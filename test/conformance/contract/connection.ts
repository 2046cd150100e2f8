import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Driver } from '../../../src/drivers/driver.ts'
import type { Stage } from '../stage.ts'
import { rejectsWith } from '../stage.ts'

export function describeConnection(stage: Stage): void {
  describe('connection', () => {
    stage.it('is closed twice without harm', async () => {
      const { driver } = stage
      await stage.disconnect()
      await driver.close()
    })

    stage.it('says unreachable to whatever is asked after it was closed', async () => {
      const config = stage.config()
      const { driver } = stage
      await driver.domains.define(config)
      await stage.disconnect()

      await rejectsWith('unreachable', driver.host.info())
      await rejectsWith('unreachable', driver.domains.list())
      await rejectsWith('unreachable', driver.domains.get(config.id))
      await rejectsWith('unreachable', driver.domains.define(config))
      await rejectsWith('unreachable', driver.domains.start(config.id))
      await rejectsWith('unreachable', driver.domains.undefine(config.id))
      await rejectsUnreachableInGroups(driver, config.id)
    })

    if (stage.traits.outlivesConnection) describeReconnection(stage)
  })
}

async function rejectsUnreachableInGroups(driver: Driver, id: string): Promise<void> {
  if (driver.storage !== undefined) await rejectsWith('unreachable', driver.storage.getVolume('gone'))
  if (driver.suspension !== undefined) await rejectsWith('unreachable', driver.suspension.suspend(id))
  if (driver.devices !== undefined) await rejectsWith('unreachable', driver.devices.setMemoryTarget(id, 1))
  if (driver.dumps !== undefined) await rejectsWith('unreachable', driver.dumps.list(id))
  if (driver.clones !== undefined) await rejectsWith('unreachable', driver.clones.cloneVolume('gone', { name: 'x' }))
  if (driver.networks !== undefined) await rejectsWith('unreachable', driver.networks.list())
  if (driver.terminals !== undefined) await rejectsWith('unreachable', driver.terminals.kinds(id))
  if (driver.metrics !== undefined) await rejectsWith('unreachable', driver.metrics.cpus())
  if (driver.scheduler !== undefined) {
    await rejectsWith('unreachable', driver.scheduler.set(id, { weight: 256, capPercent: null, affinity: null }))
  }
  if (driver.autostart !== undefined) await rejectsWith('unreachable', driver.autostart.get(id))
  if (driver.screens !== undefined) await rejectsWith('unreachable', driver.screens.screenshot(id))
  if (driver.snapshots !== undefined) await rejectsWith('unreachable', driver.snapshots.list(id))
  if (driver.consoles !== undefined) await rejectsWith('unreachable', driver.consoles.readSerial(id, 0, 1))
}

function describeReconnection(stage: Stage): void {
  stage.it('finds domains and definitions again after a new connection', async () => {
    const config = stage.config()
    await stage.driver.domains.define(config)
    await stage.disconnect()
    await stage.connect()

    assert.deepEqual(await stage.driver.domains.config(config.id), config)
    await stage.assertState(config.id, 'halted')
  })

  stage.it('leaves guests running when it is closed, and commands them after a new connection', async () => {
    const [running, paused] = [await stage.running(), await stage.paused()]
    await stage.disconnect()
    await stage.connect()

    await stage.assertState(running, 'running')
    await stage.assertState(paused, 'paused')
    await stage.driver.domains.pause(running)
    await stage.driver.domains.unpause(paused)
    await stage.assertState(running, 'paused')
    await stage.assertState(paused, 'running')
    await stage.driver.domains.powerOff(running)
    await stage.assertState(running, 'halted')
  })

  stage.it('remembers across connections what it was told to forget', async () => {
    const id = await stage.halted()
    await stage.driver.domains.undefine(id)
    await stage.disconnect()
    await stage.connect()

    await rejectsWith('not-found', stage.driver.domains.get(id))
  })

  if (!stage.traits.groups.includes('consoles')) return

  stage.it('reads serial output on from the same position after a new connection', async () => {
    const id = await stage.running()
    await stage.untilBooted(id)
    const before = await stage.serial(id)
    await stage.disconnect()
    await stage.connect()

    assert((await stage.serial(id)).startsWith(before))
  })
}
