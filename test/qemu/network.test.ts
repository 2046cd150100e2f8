import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, it } from 'node:test'
import { GuestShell } from '../guests/shell.ts'
import { killNow, waitUntilGone } from '../../src/drivers/qemu/process.ts'
import { address, isReached, linux, network, networksOf, nic, openWorld, reaches } from './network-world.ts'
import { TEST_MS, type World } from './world.ts'
import { atEnd } from '../support/at-end.ts'

/** Where others reach this machine. */
const outerAddresses = () =>
  Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .slice(0, 1)

async function killSwitch(world: World): Promise<void> {
  const process = world.switchProcess()
  assert(process !== undefined, 'there is a switch')
  killNow(process)
  assert(await waitUntilGone(process, TEST_MS))
}

describe('networks of the QEMU driver', () => {
  // Proves: VIF.network, network.VIFs
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

  it('go on while no driver is there, and while the switch is replaced', async context => {
    const world = await openWorld(context)
    const red = await network(world)
    const [first, second] = await Promise.all([linux(world, [nic(1, red)]), linux(world, [nic(2, red)])])
    await Promise.all([address(first, 1), address(second, 2)])
    await reaches(first, 2)

    const before = world.networkProcesses()
    await world.driver.close()
    assert(await isReached(first, 2), 'the guests talk while no driver is there')
    await world.connect()
    assert(await isReached(first, 2), 'and when one is there again')
    assert.deepEqual(world.networkProcesses(), before)

    await killSwitch(world)
    await reaches(first, 2)
    assert.notDeepEqual(world.switchProcess(), before)
    await world.driver.close()
    await killSwitch(world)
    assert(!(await isReached(first, 2)))
    await world.connect()
    await reaches(first, 2)

    assert.deepEqual(world.warnings, [])
    await Promise.all([first, second].map(({ id }) => world.driver.domains.powerOff(id)))
    await world.until('switch and uplink have ended', () => world.networkProcesses().length === 0)
  })

  // Proves: network.default_gateway, network.default_netmask
  it('lead outside, with addresses by DHCP as the network says, from now on where it is changed', async context => {
    const world = await openWorld(context)
    const lab = await network(world, { gateway: '10.9.8.1', netmask: '255.255.255.0' })
    const { shell } = await linux(world, [nic(1, lab)])
    await shell.run('ifconfig eth0 up')

    const lease = /lease of (\S+) obtained from (\S+?),/
    assert.deepEqual(await networksOf(world).leases?.(lab), [])
    const first = await shell.until('udhcpc -i eth0 -x hostname:web -n -q -t 3 -s /bin/true || true', lease)
    const [given, ...others] = (await networksOf(world).leases?.(lab)) ?? []
    await shell.run('ifconfig eth0 10.9.8.15 netmask 255.255.255.0; route add default gw 10.9.8.1')
    await shell.until('ping -c 1 -W 2 10.9.8.1 || true', / 0% packet loss/)
    await networksOf(world).define({
      id: lab,
      name: 'lab',
      nic: '',
      vlan: null,
      gateway: '172.16.5.254',
      netmask: '255.255.255.128',
    })
    const second = await shell.until('udhcpc -i eth0 -n -q -t 3 -s /bin/true || true', /lease of 172/)

    assert.deepEqual(lease.exec(first)?.slice(1), ['10.9.8.15', '10.9.8.1'])
    assert.match(second, /lease of 172\.16\.5\.143 obtained from 172\.16\.5\.254/)
    assert.deepEqual(others, [])
    const { expiresAtMs, mac, clientId, ...rest } = given ?? assert.fail('who was given an address is known')
    assert.deepEqual(rest, { address: '10.9.8.15', prefix: 24, hostname: 'web' })
    assert.equal(clientId, `01:${mac}`)
    assert(expiresAtMs !== null && expiresAtMs > Date.now())
    const [now] = (await networksOf(world).leases?.(lab)) ?? []
    assert.deepEqual([now?.address, now?.prefix, now?.hostname], ['172.16.5.143', 25, null])
  })

  it('lead to what the host reaches, and not to the host itself', async context => {
    const world = await openWorld(context)
    const lab = await network(world)
    const { shell } = await linux(world, [nic(1, lab)])
    await shell.run('ifconfig eth0 10.0.2.15 up; route add default gw 10.0.2.2; ifconfig lo up')
    await shell.until('ping -c 1 -W 2 10.0.2.2 || true', / 0% packet loss/)
    const server = createServer(socket => socket.end('reached\n').on('error', () => undefined))
    server.listen(0, '0.0.0.0')
    atEnd(context, () => server.close())
    await once(server, 'listening')
    const listening = server.address()
    assert(typeof listening === 'object' && listening !== null)
    const ask = (host: string) => shell.run(`nc -w 5 ${host} ${listening.port} </dev/null || true`)

    assert.doesNotMatch(await ask('10.0.2.2'), /reached/)
    for (const { address: own } of outerAddresses()) assert.match(await ask(own), /reached/)
  })

  // Proves: VM.suspend, VM.resume
  it('have a guest again that was suspended', async context => {
    const world = await openWorld(context)
    const red = await network(world)
    const [first, second] = await Promise.all([linux(world, [nic(1, red)]), linux(world, [nic(2, red)])])
    await Promise.all([address(first, 1), address(second, 2)])
    await reaches(first, 2)

    await world.driver.suspension?.suspend(second.id)
    assert(!(await isReached(first, 2)))
    await world.reconnect()
    await world.driver.domains.powerOff(first.id)
    await assert.rejects(networksOf(world).undefine(red), { kind: 'bad-state' })
    await world.driver.domains.start(first.id)
    const shell = await GuestShell.openBooting(world.files(first.id).serialSocket)
    await address({ ...first, shell }, 1)
    await world.driver.suspension?.resume(second.id)

    await reaches({ ...first, shell }, 2)
  })

  it('have their uplink again when it has died', async context => {
    const world = await openWorld(context)
    const lab = await network(world)
    const { shell } = await linux(world, [nic(1, lab)])
    await shell.run('ifconfig eth0 10.0.2.15 up')
    await shell.until('ping -c 1 -W 2 10.0.2.2 || true', / 0% packet loss/)

    const uplink = world.networkProcesses().find(({ pid }) => pid !== world.switchProcess()?.pid)
    assert(uplink !== undefined, 'there is an uplink')
    killNow(uplink)
    assert(await waitUntilGone(uplink, TEST_MS))

    await shell.until('ping -c 1 -W 2 10.0.2.2 || true', / 0% packet loss/)
  })
})
