import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { atEnd } from '../support/at-end.ts'
import { bothWorld, domainXml, HOSTS, listed, networkXml } from './both-worlds.ts'
import { RunningTool } from './running-tool.ts'
import { programNamed } from './tool.ts'

/** What an editor does with a description: another gateway of the network. */
const EDIT = `sed -i 's/192.168.77.1/192.168.78.1/'`
const GATEWAY = `<ip address='192.168.77.1' netmask='255.255.255.0'/>`

const { root, ok, no, virsh, uri, written, server, hostOf } = await bothWorld(HOSTS.map(({ name }) => name))

/** What `net-info` says of a network's state. */
async function info(host: Parameters<typeof ok>[0], name: string): Promise<readonly string[]> {
  const text = await ok(host, 'net-info', name)
  return ['Active', 'Persistent', 'Autostart'].map(field => new RegExp(`^${field}: +(.*)$`, 'm').exec(text)?.[1] ?? '')
}

/** What is told of a guest that was given an address as soon as it started, which no other host's guests are. */
async function leases(network: string): Promise<void> {
  const [host, domain, mac] = ['memory', 'leased', '52:54:00:0a:0b:0c'] as const
  const [traits = assert.fail()] = HOSTS.filter(({ name }) => name === host)
  await ok(host, 'define', await written(domainXml(traits, domain)))
  await ok(host, 'attach-interface', domain, 'network', network, '--mac', mac, '--config')
  await ok(host, 'start', domain)
  const told = / \d{4}-\d\d-\d\d \d\d:\d\d:\d\d +52:54:00:0a:0b:0c +ipv4 +172\.16\.11\.12\/16 +- +-/
  assert.match(await ok(host, 'net-dhcp-leases', network), told)
  assert.match(await ok(host, 'net-dhcp-leases', network, '--mac', mac), told)
  await ok(host, 'destroy', domain)
  await ok(host, 'undefine', domain)
}

for (const traits of HOSTS) {
  const host = traits.name
  const active = async () => listed(await ok(host, 'net-list', '--name'))
  const all = async () => listed(await ok(host, 'net-list', '--all', '--name'))

  describe(`networks of a host of ${host}`, () => {
    test('a network is defined, started, marked, stopped and undefined, as virsh and virt-manager do it', async () => {
      const name = `blue-${host}`
      const others = await all()

      assert.match(await ok(host, 'net-define', await written(networkXml(traits, name))), /^Network .* defined/)
      assert.deepEqual(await info(host, name), ['no', 'yes', 'no'])
      assert.deepEqual(await all(), [...others, name].toSorted())
      assert(!(await active()).includes(name))
      await ok(host, 'net-start', name)
      await ok(host, 'net-autostart', name)
      assert.deepEqual(await info(host, name), ['yes', 'yes', 'yes'])
      assert.match(await no(host, 'net-start', name), /network is already active/)
      await ok(host, 'net-autostart', name, '--disable')
      await ok(host, 'net-destroy', name)
      assert.deepEqual(await info(host, name), ['no', 'yes', 'no'])
      assert.match(await no(host, 'net-destroy', name), /network '.*' is not active/)
      await ok(host, 'net-undefine', name)

      assert.deepEqual(await all(), others)
      assert.match(await no(host, 'net-dumpxml', name), /Network not found: no network with matching name/)
    })

    if (traits.isTriedInPart) return
    test('a network that was only created is gone when it is stopped, and so is one that is undefined meanwhile', async () => {
      const [made, kept] = [`made-${host}`, `kept-${host}`]
      await ok(host, 'net-create', await written(networkXml(traits, made)))
      await ok(host, 'net-define', await written(networkXml(traits, kept)))
      await ok(host, 'net-start', kept)
      await ok(host, 'net-undefine', kept)

      for (const name of [made, kept]) {
        assert.deepEqual(await info(host, name), ['yes', 'no', 'no'])
        assert.match(await no(host, 'net-autostart', name), /cannot set autostart for transient network/)
        await ok(host, 'net-destroy', name)
        assert(!(await all()).includes(name))
      }
    })

    test('a network keeps its UUID, is edited, and tells what no host has', async () => {
      const name = `red-${host}`
      await ok(host, 'net-define', await written(networkXml(traits, name, traits.hasGateway ? GATEWAY : '')))
      const id = (await ok(host, 'net-uuid', name)).trim()

      if (traits.hasGateway) {
        const edited = await virsh(host, ['net-edit', name], { env: { EDITOR: EDIT } })
        assert.deepEqual([edited.code, edited.stderr], [0, ''])
      }

      assert.equal((await ok(host, 'net-name', id)).trim(), name)
      const described = await ok(host, 'net-dumpxml', name)
      assert.match(described, traits.hasGateway ? /<ip address=.192\.168\.78\.1./ : new RegExp(`<uuid>${id}</uuid>`))
      const another = `<network><name>${name}</name><uuid>${crypto.randomUUID()}</uuid>${traits.forward}</network>`
      assert.match(await no(host, 'net-define', await written(another)), /already exists with uuid/)
      const update = ['net-update', name, 'add', 'dns-host', `<host ip='192.168.77.2'/>`]
      assert.match(
        await no(host, ...update),
        /Operation not supported: can't update 'dns host' section of network 'red/,
      )
      if (traits.hasGateway) {
        await ok(host, 'net-update', name, 'modify', 'ip', GATEWAY, '--config')
        assert.match(await ok(host, 'net-dumpxml', name), /<ip address=.192\.168\.77\.1./)
        await ok(host, 'net-start', name)
        assert.match(await ok(host, 'net-dhcp-leases', name), /Expiry Time +MAC address +Protocol/)
        if (host === 'memory') await leases(name)
        await ok(host, 'net-destroy', name)
      } else {
        const leases = await no(host, 'net-dhcp-leases', name)
        assert.match(leases, /not supported by the connection driver: virNetworkGetDHCPLeases/)
      }
      await ok(host, 'net-undefine', name)
    })

    test('a listener is told what becomes of networks, whichever API does it', async t => {
      const listener = new RunningTool('/usr/bin/python3', [programNamed('places.py'), uri(host)], server.data)
      atEnd(t, () => listener.end())
      const told = (name: string) => [...listener.screen.text.matchAll(new RegExp(`^network ${name} (\\w+)$`, 'gm'))]
      const words = (name: string) => told(name).map(([, word]) => word)
      await listener.screen.shows('LISTENING')
      const [ours, theirs] = [`ours-${host}`, `theirs-${host}`]

      await ok(host, 'net-define', await written(networkXml(traits, ours)))
      await ok(host, 'net-start', ours)
      await ok(host, 'net-destroy', ours)
      await ok(host, 'net-undefine', ours)
      const network = await root.text('network.create', { name_label: theirs })
      const vm = await root.text('VM.create', {
        name_label: `listener-${host}`,
        memory_static_max: '67108864',
        affinity: hostOf(host),
      })
      const vif = await root.text('VIF.create', { VM: vm, network, device: 'eth0' })
      await root.ok('VM.start', vm, true)
      await root.ok('VM.hard_shutdown', vm)
      await root.ok('VIF.delete', vif)
      await root.ok('network.delete', network)
      await root.ok('VM.delete', vm)
      await listener.screen.shows(`network ${theirs} undefined`)

      assert.deepEqual(words(ours), ['defined', 'started', 'stopped', 'undefined'])
      assert.deepEqual(words(theirs), ['defined', 'started', 'stopped', 'undefined'])
    })
  })
}
