import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { networkProcesses, until } from '../support/machine.ts'
import { type Guest, Lab, TEST_MS, type Values } from './lab.ts'

/** Says what it was leased, by name. */
const LEASE_SCRIPT = 'printf \'#!/bin/sh\\n[ "$1" = bound ] && echo "$ip $subnet $router" >/tmp/lease\\n\' >/tmp/leased'
const LEASE =
  'chmod +x /tmp/leased; rm -f /tmp/lease; ifconfig eth0 up; udhcpc -i eth0 -n -q -t 5 -s /tmp/leased >/dev/null 2>&1; cat /tmp/lease'
const RATES = ['network_read_kbs', 'network_write_kbs', 'IO_bandwidth_incoming_kbs', 'IO_bandwidth_outgoing_kbs']

const macOf = (last: number): string => `02:00:00:00:07:0${last}`

describe('guests on networks, through XML-RPC alone', () => {
  let lab: Lab
  let red: string
  let blue: string
  let first: Guest
  let second: Guest
  let third: Guest

  before(async () => {
    lab = await Lab.open()
    red = await lab.create('network', { name_label: 'red', VLAN: '10' })
    blue = await lab.create('network', { name_label: 'blue', VLAN: '20' })
  })
  after(() => lab.close())

  const plug = (vm: string, last: number, values: Values = {}) =>
    lab.create('VIF', { VM: vm, MAC: macOf(last), device: 'eth0', type: 'paravirtualised', ...values })

  const address = ({ shell }: Guest, last: number, device = 'eth0') =>
    shell.run(`echo 1 >/proc/sys/net/ipv6/conf/${device}/disable_ipv6; ifconfig ${device} 10.77.0.${last} up`)

  const reaches = ({ shell }: Guest, last: number) =>
    shell.until(`ping -c 1 -W 1 10.77.0.${last} || true`, / 0% packet loss/)

  const isReached = async ({ shell }: Guest, last: number) =>
    / [01]?\d?% packet loss/.test(await shell.run(`ping -c 2 -W 1 10.77.0.${last} || true`))

  const card = ({ shell }: Guest, name: string) => shell.run(`cat /sys/class/net/eth0/${name}`)

  const vifOf = async ({ vm }: Guest) => (await lab.session.list('VM.get_VIFs', vm))[0] ?? ''

  // Proves: network.VLAN, network.VIFs, VIF.network, VIF.VM, VIF.MAC, VIF.MTU, VIF.device, VIF.type, VM.VIFs
  it('reach each other on one, and not a guest on another VLAN', { timeout: TEST_MS }, async () => {
    const vms = await Promise.all([1, 2, 3].map(number => lab.defineLinux({ name_label: `guest ${number}` })))
    const [one = '', two = '', three = ''] = vms
    const vifs = [
      await plug(one, 1, { network: red, MTU: '1400' }),
      await plug(two, 2, { network: red }),
      await plug(three, 3, { network: blue }),
    ]
    assert.deepEqual(await lab.session.list('network.get_VIFs', red), vifs.slice(0, 2))
    ;[first, second, third] = await Promise.all([lab.boot(one), lab.boot(two), lab.boot(three)])
    await Promise.all([address(first, 1), address(second, 2), address(third, 3)])

    await reaches(first, 2)
    await reaches(second, 1)

    assert.deepEqual(await Promise.all([isReached(first, 3), isReached(third, 1)]), [false, false])
    assert.deepEqual([await card(first, 'address'), await card(first, 'mtu')], [macOf(1), '1400'])
    assert.deepEqual([await card(second, 'address'), await card(second, 'mtu')], [macOf(2), '1500'])
    assert.equal(await lab.session.ok('VIF.get_currently_attached', vifs[0] ?? ''), true)
  })

  // Proves: VIF.network_read_kbs, VIF.network_write_kbs, VIF.IO_bandwidth/incoming_kbs, VIF.IO_bandwidth/outgoing_kbs
  it('show how much goes to and fro', { timeout: TEST_MS }, async () => {
    const vif = await vifOf(first)
    const rates = async () => Promise.all(RATES.map(field => lab.number(`VIF.get_${field}`, vif)))
    await second.shell.run('( ping -s 1200 -i 0.02 10.77.0.1 & echo $! >/tmp/ping ) >/dev/null 2>&1')

    await until('rates', async () => ((await rates()).every(rate => rate > 10) ? true : undefined))

    await second.shell.run('kill $(cat /tmp/ping)')
    await until('rest', async () => ((await rates()).every(rate => rate < 1) ? true : undefined))
  })

  // Proves: VIF.network
  it('go with their cable to another, and the guest sees it pulled', { timeout: TEST_MS }, async () => {
    const vif = await vifOf(third)
    const losses = Number(await card(third, 'carrier_down_count'))

    await lab.session.ok('VIF.set_network', vif, red)

    await reaches(third, 1)
    assert.equal(Number(await card(third, 'carrier_down_count')), losses + 1)
    await lab.session.ok('VIF.set_network', vif, '')
    await third.shell.until('cat /sys/class/net/eth0/carrier', /^0$/)
    assert.equal(await isReached(third, 1), false)
  })

  // Proves: VIF.VM, VM.VIFs, VIF.MAC
  it('get another card while they run, use it, and lose it', { timeout: TEST_MS }, async () => {
    await lab.session.ok('VIF.delete', await vifOf(third))
    assert.doesNotMatch(await third.shell.run('ls /sys/class/net'), /eth/)

    const vif = await plug(third.vm, 4, { network: red, MTU: '1300' })

    await third.shell.until('cat /sys/class/net/eth0/address || true', new RegExp(macOf(4)))
    assert.equal(await card(third, 'mtu'), '1300')
    await address(third, 4)
    await reaches(third, 2)
    await lab.session.ok('VIF.set_VM', vif, '')
    assert.doesNotMatch(await third.shell.run('ls /sys/class/net'), /eth/)
    await lab.session.ok('VIF.set_VM', vif, third.vm)
    await third.shell.until('ls /sys/class/net', /eth0/)
    await address(third, 4)
    await reaches(third, 2)
  })

  // Proves: VIF.network
  it('go on while there is no server, and with the next one', { timeout: TEST_MS }, async () => {
    await lab.restart(async () => assert(await isReached(first, 2)))

    assert(await isReached(first, 2))
    const vif = await vifOf(third)
    await lab.session.ok('VIF.set_network', vif, blue)
    await until('it to be apart', async () => ((await isReached(third, 2)) ? undefined : true))
  })

  // Proves: network.default_gateway, network.default_netmask
  it('are told by DHCP what their network says of gateway and netmask', { timeout: TEST_MS }, async () => {
    const values = { name_label: 'told', default_gateway: '10.9.8.1', default_netmask: '255.255.255.128' }
    const told = await lab.create('network', values)
    await lab.session.ok('VIF.set_network', await vifOf(third), told)
    await third.shell.run(LEASE_SCRIPT)

    const lease = await third.shell.until(`${LEASE} || true`, /^10\./)

    assert.match(lease, /^10\.9\.8\.\d+ 255\.255\.255\.128 10\.9\.8\.1$/)
    await third.shell.run(`ifconfig eth0 ${lease.split(' ')[0]} netmask 255.255.255.128; route add default gw 10.9.8.1`)
    await third.shell.until('ping -c 1 -W 2 10.9.8.1 || true', / 0% packet loss/)
  })

  // Proves: network.NIC
  it('do not start where their network has a device that the host may not use', { timeout: TEST_MS }, async () => {
    const missing = await lab.create('network', { name_label: 'missing', NIC: 'no-such-nic0' })
    const vm = await lab.defineLinux()
    const vif = await plug(vm, 5, { network: missing })

    const [code, driver, operation, reason] = await lab.session.fails('VM.start', vm, false)

    assert.deepEqual([code, driver, operation], ['DRIVER_FAILED', 'qemu', 'VM.start'])
    assert.match(reason ?? '', /no-such-nic0|network/)
    assert.equal(await lab.session.text('VM.get_power_state', vm), 'Halted')
    await lab.session.ok('VIF.set_network', vif, red)
    await lab.session.ok('VM.start', vm, true)
    await lab.session.ok('VM.hard_shutdown', vm)
  })

  it('leave nothing of them on the host when the last one has ended', { timeout: TEST_MS }, async () => {
    for (const { vm } of [first, second, third]) await lab.session.ok('VM.hard_shutdown', vm)

    await until('the networks to be gone', async () =>
      (await networkProcesses(lab.data)).length === 0 ? true : undefined,
    )
  })
})
