import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { OPTIONAL_GROUPS } from '../../../src/drivers/driver.ts'
import { cpuFeature } from '../../../src/model/enums.ts'
import type { Stage } from '../stage.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export function describeHost(stage: Stage): void {
  describe('host', () => {
    stage.it('has the groups that its setting says it has', async () => {
      const present = OPTIONAL_GROUPS.filter(group => stage.driver[group] !== undefined)

      assert.deepEqual(
        present,
        OPTIONAL_GROUPS.filter(group => stage.traits.groups.includes(group)),
      )
      assert.equal(stage.driver.suspension?.files !== undefined, stage.traits.savesToFiles === true)
      assert.match(stage.driver.name, /^[a-z][a-z0-9-]*$/)
    })

    stage.it('is the same host on every connection', async () => {
      const first = await stage.driver.host.info()
      await stage.disconnect()
      await stage.connect()
      const second = await stage.driver.host.info()

      assert.match(first.id, UUID)
      assert.equal(second.id, first.id)
    })

    stage.it('has a name, memory, and the versions of its software', async () => {
      const info = await stage.driver.host.info()

      assert.notEqual(info.name, '')
      assert(Number.isSafeInteger(info.memoryBytes) && info.memoryBytes > 0, `memory: ${info.memoryBytes}`)
      assert.notEqual(Object.keys(info.softwareVersion).length, 0)
      for (const [product, version] of Object.entries(info.softwareVersion)) assert.notEqual(version, '', product)
    })
    describeMachine(stage)
  })
}

/** The machine that the host is. */
function describeMachine(stage: Stage): void {
  stage.it('numbers its CPUs without repeating a number', async () => {
    const { cpus } = await stage.driver.host.info()
    const numbers = cpus.map(cpu => cpu.number)

    assert(numbers.length > 0)
    assert.equal(new Set(numbers).size, numbers.length)
    assert(numbers.every(number => Number.isSafeInteger(number) && number >= 0))
  })

  stage.it('accounts for its CPUs by sockets, cores and threads, where it tells of its machine', async () => {
    const { cpus } = await stage.driver.host.info()
    const hardware = await stage.driver.host.hardware?.()

    if (hardware === undefined) return
    const { nodes, socketsPerNode, coresPerSocket, threadsPerCore, mhz } = hardware
    const parts = [nodes, socketsPerNode, coresPerSocket, threadsPerCore]
    assert(parts.every(part => Number.isSafeInteger(part) && part > 0))
    assert(cpus.length <= parts.reduce((product, part) => product * part))
    assert(mhz >= 0)
  })

  stage.it('has no more memory free than it has, and CPUs for at least one domain, where it tells', async () => {
    const { memoryBytes } = await stage.driver.host.info()
    const free = await stage.driver.host.memoryFree?.()
    const vcpusMax = await stage.driver.host.vcpusMax?.()

    assert(free === undefined || (free >= 0 && free <= memoryBytes))
    assert(vcpusMax === undefined || (Number.isSafeInteger(vcpusMax) && vcpusMax > 0))
  })

  stage.it("names CPU features by the draft's names only", async () => {
    const { cpus } = await stage.driver.host.info()
    const known = new Set(Object.keys(cpuFeature.values))

    assert.deepEqual(
      cpus.flatMap(cpu => cpu.features).filter(feature => !known.has(feature)),
      [],
    )
    for (const cpu of cpus) assert.equal(new Set(cpu.features).size, cpu.features.length)
  })
}
