import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { address, isReached, linux, network, nic, openWorld, reaches } from './network-world.ts'
import { TEST_MS } from './world.ts'

describe('networks of the QEMU driver', { timeout: 2 * TEST_MS }, () => {
  it('let guests on one network reach each other, and not one on another', async context => {
    const world = await openWorld(context)
    const [red, blue] = [await network(world, { vlan: 5 }), await network(world, { vlan: 5 })]

    const [first, second, third] = await Promise.all([
      linux(world, [nic(1, red)]),
      linux(world, [nic(2, red)]),
      linux(world, [nic(3, blue)]),
    ])
    await Promise.all([address(first, 1), address(second, 2), address(third, 3)])

    await reaches(first, 2)
    await reaches(second, 1)
    assert(!(await isReached(first, 3)))
    assert(!(await isReached(third, 1)))
  })
})
