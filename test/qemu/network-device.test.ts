import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DeviceOps, NicConfig } from '../../src/drivers/driver.ts'
import { address, isReached, linux, type LinuxGuest, network, nic, openWorld, reaches } from './network-world.ts'
import type { World } from './world.ts'

function devicesOf(world: World): DeviceOps {
  const { devices } = world.driver
  assert(devices !== undefined, 'the driver has devices')
  return devices
}

const attribute = ({ shell }: LinuxGuest, name: string, device = 'eth0'): Promise<string> =>
  shell.run(`cat /sys/class/net/${device}/${name}`)

/** Of a card that the guest's kernel has no driver for, what any system sees of it. */
const E1000 = /PCI_ID=8086:100E/
const pciDevices = ({ shell }: LinuxGuest): Promise<string> => shell.run('cat /sys/bus/pci/devices/*/uevent')

async function nicsOf(world: World, { id }: LinuxGuest): Promise<readonly NicConfig[] | undefined> {
  return (await world.driver.domains.config(id)).nics
}

describe('network cards of a QEMU guest', () => {
  // Proves: VIF.MAC, VIF.MTU, VIF.device, VIF.type
  it('have the address and MTU they are given, in the order of their names, of either model', async context => {
    const world = await openWorld(context)
    const red = await network(world)
    const jumbo = { mtu: 9000 } as const
    const [first, second] = await Promise.all([
      linux(world, [nic(2, null, { device: 'eth1', mtu: 1280 }), nic(1, red, jumbo)]),
      linux(world, [nic(3, red, jumbo), nic(4, red, { device: 'eth1', model: 'emulated' })]),
    ])
    await Promise.all([address(first, 1), address(second, 2)])

    assert.deepEqual(
      [await attribute(first, 'address'), await attribute(first, 'address', 'eth1')],
      ['02:00:00:00:00:01', '02:00:00:00:00:02'],
    )
    assert.deepEqual([await attribute(first, 'mtu'), await attribute(first, 'mtu', 'eth1')], ['9000', '1280'])
    await first.shell.until('ping -c 1 -W 2 -s 8900 10.77.0.2 || true', / 0% packet loss/)
    assert.match(await pciDevices(second), E1000)
    assert.doesNotMatch(await pciDevices(first), E1000)
  })

  it('are plugged into a guest that runs, are used by it, and pulled', async context => {
    const world = await openWorld(context)
    const red = await network(world)
    const [first, second] = await Promise.all([linux(world, [nic(1, red)]), linux(world, [])])
    await address(first, 1)

    const [one, two] = [nic(2, red), nic(3, red, { device: 'eth1', model: 'emulated' })]
    await devicesOf(world).attachNic(second.id, one)
    await second.shell.until('ls /sys/class/net', /eth0/)
    await address(second, 2)
    await reaches(second, 1)
    await devicesOf(world).attachNic(second.id, two)
    await second.shell.until('cat /sys/bus/pci/devices/*/uevent', E1000)
    assert.deepEqual(await nicsOf(world, second), [one, two])

    await devicesOf(world).detachNic(second.id, one.id)
    assert.doesNotMatch(await second.shell.run('ls /sys/class/net'), /eth0/)
    await devicesOf(world).detachNic(second.id, two.id)
    assert.doesNotMatch(await pciDevices(second), E1000)
    assert.deepEqual(await nicsOf(world, second), [])

    await devicesOf(world).attachNic(second.id, one)
    await second.shell.until('ls /sys/class/net', /eth/)
    await address(second, 2)
    await reaches(second, 1)
  })

  it('stay where the guest does not let go of them, and come back where it does so later', async context => {
    const world = await openWorld(context)
    const red = await network(world)
    const card = nic(2, red)
    const [first, second] = await Promise.all([linux(world, [nic(1, red)]), linux(world, [card])])
    await Promise.all([address(first, 1), address(second, 2)])

    await world.driver.domains.pause(second.id)
    await assert.rejects(devicesOf(world).detachNic(second.id, card.id), { kind: 'refused' })
    assert.deepEqual(await nicsOf(world, second), [card])
    await world.driver.domains.unpause(second.id)
    // The guest's kernel gives the card it gets back a number of its own, and no address. Until then the old one may be seen
    // as it goes.
    const use = 'for card in /sys/class/net/eth*; do ifconfig ${card##*/} 10.77.0.2 up; done; ping -c 1 -W 1 10.77.0.1'
    await second.shell.until(`(${use}) 2>&1 || true`, / 0% packet loss/)
    await reaches(first, 2)
  })

  // Proves: VIF.network
  it('are moved from network to network, and see the carrier go and come', async context => {
    const world = await openWorld(context)
    const [red, blue] = [await network(world), await network(world)]
    const [card, unplugged] = [nic(3, red), nic(4, null, { device: 'eth1' })]
    const [first, second, third] = await Promise.all([
      linux(world, [nic(1, red)]),
      linux(world, [nic(2, blue)]),
      linux(world, [card, unplugged]),
    ])
    await Promise.all([address(first, 1), address(second, 2), address(third, 3), address(third, 9, 'eth1')])
    await reaches(third, 1)
    assert(!(await isReached(third, 2)))
    assert.deepEqual([await attribute(third, 'carrier'), await attribute(third, 'carrier', 'eth1')], ['1', '0'])

    const losses = Number(await attribute(third, 'carrier_down_count'))
    await devicesOf(world).connectNic(third.id, card.id, blue)
    await reaches(third, 2)
    assert(!(await isReached(third, 1)))
    assert.equal(Number(await attribute(third, 'carrier_down_count')), losses + 1)

    await devicesOf(world).setLink(third.id, card.id, false)
    await third.shell.until('cat /sys/class/net/eth0/carrier', /^0$/)
    await devicesOf(world).connectNic(third.id, card.id, red)
    assert.equal(await attribute(third, 'carrier'), '0')
    assert(!(await isReached(third, 1)))
    await devicesOf(world).setLink(third.id, card.id, true)
    await reaches(third, 1)
    await devicesOf(world).connectNic(third.id, card.id, blue)
    await reaches(third, 2)

    await devicesOf(world).connectNic(third.id, card.id, null)
    await third.shell.until('cat /sys/class/net/eth0/carrier', /^0$/)
    assert(!(await isReached(third, 2)))
    assert.deepEqual(await nicsOf(world, third), [{ ...card, network: null }, unplugged])
    await world.reconnect()
    await devicesOf(world).connectNic(third.id, card.id, red)
    await reaches(third, 1)
  })

  it('are counted as the guest itself counts', async context => {
    const world = await openWorld(context)
    const red = await network(world)
    const [first, second] = await Promise.all([linux(world, [nic(1, red)]), linux(world, [nic(2, red)])])
    await Promise.all([address(first, 1), address(second, 2)])
    await reaches(first, 2)

    await first.shell.run('ping -c 3 -s 1234 10.77.0.2')
    await world.reconnect()
    await second.shell.run('ping -c 3 -s 567 10.77.0.1')

    for (const guest of [first, second]) {
      const count = async () => {
        const own: string[] = []
        for (const name of ['rx_bytes', 'tx_bytes', 'rx_packets', 'tx_packets']) {
          own.push(await attribute(guest, `statistics/${name}`))
        }
        const [counted] = (await world.driver.metrics?.domain(guest.id))?.nics ?? []
        const { receivedBytes, sentBytes, receivedPackets, sentPackets } = counted ?? assert.fail()
        return { own, ours: [receivedBytes, sentBytes, receivedPackets, sentPackets].map(String) }
      }
      // A guest may say something of its own accord between the two readings.
      await world.until('both count the same', async () => {
        const { own, ours } = await count()
        return own.every((value, index) => value === ours[index])
      })
      assert((await count()).own.slice(0, 2).every(bytes => Number(bytes) > 3 * 1234))
    }
  })
})
