import assert from 'node:assert/strict'
import { describe } from 'node:test'
import type { Stage } from '../stage.ts'
import { NOBODY, rejectsWith } from '../stage.ts'

/** What is told of domains at little cost. */
export function describeInfo(stage: Stage): void {
  describe('info', () => {
    stage.it('tells of a halted domain what it is to have, and that it has used nothing', async () => {
      const config = stage.config()
      await stage.driver.domains.define(config)

      const { memoryBytes, vcpus, id, name } = config
      const expected = { id, name, state: 'halted', memoryBytes, memoryNowBytes: memoryBytes, vcpus, cpuMs: 0 }
      assert.deepEqual(await stage.driver.domains.info(id), expected)
    })

    stage.it('tells of a running domain what it has, and CPU time that only grows', async () => {
      const { memoryBytes, vcpus, id } = await running(stage)
      const first = await stage.driver.domains.info(id)

      assert.deepEqual([first.state, first.memoryBytes, first.vcpus], ['running', memoryBytes, vcpus])
      assert(first.memoryNowBytes > 0 && first.memoryNowBytes <= memoryBytes, `${first.memoryNowBytes} bytes`)
      await stage.until('it has used CPU time', async () => (await stage.driver.domains.info(id)).cpuMs > first.cpuMs)
    })

    stage.it('says not-found to a domain that the host does not have', async () => {
      await rejectsWith('not-found', stage.driver.domains.info(NOBODY))
    })

    stage.it('tells the definitions of many, and leaves out those that it does not have', async () => {
      const configs = [stage.config(), stage.config(), stage.config()]
      for (const config of configs) await stage.driver.domains.define(config)
      const [first, , last] = configs
      assert(first !== undefined && last !== undefined)

      const told = await stage.driver.domains.configs([last.id, NOBODY, first.id])
      const byId = new Map(told.map(config => [config.id, config]))
      assert.equal(told.length, 2)
      for (const { id } of [first, last]) assert.deepEqual(byId.get(id), await stage.driver.domains.config(id))
      assert.deepEqual(await stage.driver.domains.configs([]), [])
    })
  })
}

async function running(stage: Stage) {
  const config = stage.config()
  await stage.driver.domains.define(config)
  await stage.driver.domains.start(config.id)
  return config
}
