import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { DriverError } from '../../src/drivers/driver.ts'
import { bridgeOf } from '../../src/drivers/qemu/networks/bridge-plan.ts'
import { hostPowers } from '../../src/drivers/qemu/networks/host-devices.ts'
import { killNow } from '../../src/drivers/qemu/process.ts'
import { address, linux, network, networksOf, nic, reaches } from './network-world.ts'
import { World } from './world.ts'

// A program of its own, to be run in a network of its own, whose devices it makes: `up0` is a cable to `far0`, behind
// which 10.77.0.100 answers; `lan0` is a bridge, at which 10.77.0.101 answers.

const ip = (line: string): void => void execFileSync('ip', line.split(' '))
const DEVICES = '/sys/class/net'
const attribute = (device: string, name: string): string => readFileSync(`${DEVICES}/${device}/${name}`, 'utf8').trim()
const ours = (): string[] => readdirSync(DEVICES).filter(name => name.startsWith('pv'))
const membersOf = (bridge: string): string[] => readdirSync(`${DEVICES}/${bridge}/brif`)

async function refused(work: Promise<unknown>, words: RegExp): Promise<void> {
  await assert.rejects(
    work,
    error => error instanceof DriverError && error.kind === 'refused' && words.test(error.message),
  )
}

function makeDevices(): void {
  for (const line of [
    'link set dev lo up',
    'link add name up0 mtu 1400 type veth peer name far0 mtu 1400',
    'address add 10.77.0.100/32 dev far0',
    'link set dev far0 up',
    'route add 10.77.0.1/32 dev far0 src 10.77.0.100',
    'link add name lan0 type bridge',
    'address add 10.77.0.101/32 dev lan0',
    'link set dev lan0 up',
    'route add 10.77.0.2/32 dev lan0 src 10.77.0.101',
  ]) {
    ip(line)
  }
}

async function play(world: World): Promise<void> {
  if (hostPowers().missing.length > 0) {
    const what = new RegExp(hostPowers().missing.join('.*').replaceAll(/[()]/g, '.'))
    return refused(network(world, { nic: 'lo' }), what)
  }
  makeDevices()
  await refused(network(world, { nic: 'up0', vlan: 7 }), /8021q/)
  await refused(network(world, { nic: 'lan0', vlan: 7 }), /vlan_filtering/)
  await refused(network(world, { nic: 'far0' }), /10\.77\.0\.100/)
  await refused(network(world, { nic: 'lo' }), /neither/)
  const [through, among] = [await network(world, { nic: 'up0' }), await network(world, { nic: 'lan0' })]
  assert.deepEqual(ours(), [])

  const card = nic(1, through)
  const guest = await linux(world, [card])
  await address(guest, 1)
  await reaches(guest, 100)
  const bridge = bridgeOf(through)
  const tap = membersOf(bridge).find(name => name !== 'up0') ?? ''
  assert.deepEqual([attribute(bridge, 'mtu'), attribute(tap, 'mtu')], ['1400', '1400'])

  const uplink = world.networkProcesses().find(({ pid }) => pid !== world.switchProcess()?.pid)
  assert(uplink !== undefined)
  killNow(uplink)
  await reaches(guest, 100)
  await world.reconnect()
  await reaches(guest, 100)

  await world.driver.devices?.connectNic(guest.id, card.id, among)
  await guest.shell.run('ifconfig eth0 10.77.0.2')
  await reaches(guest, 101)
  assert(!existsSync(`${DEVICES}/${bridge}`), 'nobody uses that bridge any more')
  assert(!existsSync(`${DEVICES}/up0/master`))
  assert.deepEqual(membersOf('lan0'), ours())

  // A network in use finds another way out at once; where it cannot, it keeps the one it has.
  const config = (await networksOf(world).list()).find(({ id }) => id === among)
  assert(config !== undefined)
  await refused(networksOf(world).define({ ...config, nic: 'far0' }), /10\.77\.0\.100/)
  await reaches(guest, 101)
  await networksOf(world).define({ ...config, nic: 'up0' })
  await guest.shell.run('ifconfig eth0 10.77.0.1')
  await reaches(guest, 100)
  assert.deepEqual(membersOf('lan0'), [])

  guest.shell.close()
  await world.driver.domains.powerOff(guest.id)
  await world.until('all that was made is gone', () => ours().length === 0 && world.networkProcesses().length === 0)
  assert(!existsSync(`${DEVICES}/up0/master`))
  assert.deepEqual(world.warnings, [])
}

if (import.meta.main) {
  const world = await World.open()
  try {
    await play(world)
  } finally {
    await world.close()
  }
}
