import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bothWorld, domainXml, HOSTS, type HostTraits, listed, networkXml } from './both-worlds.ts'

const { root, ok, no, written, server, hostOf } = await bothWorld(HOSTS.map(({ name }) => name))

/** The only object of a class that is called so. */
async function named(of: string, name: string): Promise<string> {
  const found = await root.list(`${of}.get_by_name_label`, name)
  assert.equal(found.length, 1, `${of} ${name}`)
  return found[0] ?? ''
}

const stateOf = (vm: string): Promise<string> => root.text('VM.get_power_state', vm)

/** A repository through the Xen Management API. */
function repository(traits: HostTraits, name: string): Promise<string> {
  const { name: host, folder } = traits
  const type = host === 'memory' ? 'memory' : 'dir'
  return root.text('SR.create', { name_label: name, type, location: folder(server, name), host: hostOf(host) })
}

const machine = (host: string, name: string): Promise<string> =>
  root.text('VM.create', { name_label: name, memory_static_max: '67108864', affinity: host })

for (const traits of HOSTS) {
  const { name: host, ending, format, target } = traits
  const names = async (what: 'list' | 'net-list' | 'pool-list') =>
    listed(await ok(host, what, '--all', '--name')).map(name => name.trim())
  const column = async (command: string, name: string) =>
    [...(await ok(host, command, name)).matchAll(/^ \S+ .* (\S+)$/gm)].map(([, last]) => last).slice(1)

  describe(`one host of ${host} through both APIs`, () => {
    test('what virsh does with a machine and its disk, the other API shows when virsh has ended', async () => {
      const [name, pool, volume] = [`web-${host}`, `pool-${host}`, `disk.${ending}`]

      await ok(host, 'define', await written(domainXml(traits, name)))
      const vm = await named('VM', name)
      await ok(host, 'pool-create-as', pool, 'dir', '--target', traits.folder(server, pool))
      const sr = await named('SR', pool)
      await ok(host, 'vol-create-as', pool, volume, '4M', '--format', format)
      const [vdi = ''] = await root.list('SR.get_VDIs', sr)
      assert.equal(await root.text('VDI.get_virtual_size', vdi), '8192')
      const path = (await ok(host, 'vol-path', volume, pool)).trim()
      await ok(host, 'attach-disk', name, path, target, '--subdriver', format, '--config')
      const vbds = await root.list('VM.get_VBDs', vm)
      assert.deepEqual([vbds.length, await root.list('VDI.get_VBDs', vdi)], [1, vbds])

      await ok(host, 'start', name)
      assert.deepEqual([await stateOf(vm), await root.text('VM.get_resident_on', vm)], ['Running', hostOf(host)])
      await ok(host, 'suspend', name)
      assert.equal(await stateOf(vm), 'Paused')
      await ok(host, 'destroy', name)
      assert.equal(await stateOf(vm), 'Halted')

      await ok(host, 'detach-disk', name, target, '--config')
      assert.deepEqual(await root.list('VM.get_VBDs', vm), [])
      await ok(host, 'undefine', name)
      assert.deepEqual(await root.list('VM.get_by_name_label', name), [])
      await ok(host, 'vol-delete', volume, pool)
      assert.deepEqual(await root.list('SR.get_VDIs', sr), [])
      await ok(host, 'pool-destroy', pool)
      assert.deepEqual(await root.list('SR.get_by_name_label', pool), [])
    })

    test('what the other API does, virsh shows when the call has been answered', async () => {
      const [name, pool, network] = [`vm-${host}`, `sr-${host}`, `net-${host}`]

      const vm = await machine(hostOf(host), name)
      assert((await names('list')).includes(name))
      const sr = await repository(traits, pool)
      assert((await names('pool-list')).includes(pool))
      const vdi = await root.text('VDI.create', { name_label: 'a disk', SR: sr, virtual_size: '8192' })
      const [path = ''] = await column('vol-list', pool)
      assert(path.includes(vdi))
      const vbd = await root.text('VBD.create', { VM: vm, VDI: vdi, device: 'hda' })
      assert.deepEqual(await column('domblklist', name), [path])
      const net = await root.text('network.create', { name_label: network })
      assert.match(await ok(host, 'net-info', network), /Active: +no\nPersistent: +yes/)
      const vif = await root.text('VIF.create', { VM: vm, network: net, device: 'eth0' })
      assert.match(await ok(host, 'domiflist', name), new RegExp(`network +${network} `))
      await root.ok('VM.set_name_description', vm, 'told at once')
      assert.match(await ok(host, 'dumpxml', name), /<description>told at once/)

      const state = async () => (await ok(host, 'domstate', name, '--reason')).trim()
      await root.ok('VM.start', vm, false)
      assert.equal(await state(), 'running (booted)')
      assert.match(await ok(host, 'net-info', network), /Active: +yes/)
      await root.ok('VM.pause', vm)
      assert.equal(await state(), 'paused (user)')
      await root.ok('VM.unpause', vm)
      assert.equal(await state(), 'running (unpaused)')
      await root.ok('VM.suspend', vm, false)
      assert.equal(await state(), 'shut off (saved)')
      await root.ok('VM.resume', vm, false)
      assert.equal(await state(), 'running (restored)')
      await root.ok('VM.hard_shutdown', vm)
      assert.equal(await state(), 'shut off (destroyed)')

      for (const [of, ref] of Object.entries({ VIF: vif, VBD: vbd, VDI: vdi, VM: vm, network: net, SR: sr })) {
        await root.ok(`${of}.delete`, ref)
      }
      assert(!(await names('list')).includes(name))
      assert(!(await names('net-list')).includes(network))
      assert(!(await names('pool-list')).includes(pool))
    })

    if (traits.isTriedInPart) return
    test('a pool that is stopped keeps its record and images, and is used by nobody until it is started', async () => {
      const pool = `stopped-${host}`
      const sr = await repository(traits, pool)
      const vdi = await root.text('VDI.create', { name_label: 'kept', SR: sr, virtual_size: '8192' })

      await ok(host, 'pool-destroy', pool)
      const [error, , , reason = ''] = await root.fails('VDI.create', {
        name_label: 'no',
        SR: sr,
        virtual_size: '8192',
      })
      assert.deepEqual([error, /was stopped; SR.scan starts it/.test(reason)], ['DRIVER_FAILED', true])
      assert.deepEqual(await root.list('SR.get_VDIs', sr), [vdi])
      await root.ok('SR.scan', sr)

      assert.match(await ok(host, 'pool-info', pool), /State: +running/)
      assert.equal(await root.text('VDI.get_name_label', vdi), 'kept')
      await ok(host, 'pool-destroy', pool)
      await ok(host, 'pool-undefine', pool)
      assert.deepEqual(await root.list('SR.get_by_name_label', pool), [])
      assert.equal((await root.list('VDI.get_by_name_label', 'kept')).includes(vdi), false)
    })

    test('what both do to one machine at once, nobody loses', async () => {
      const name = `busy-${host}`
      await ok(host, 'define', await written(domainXml(traits, name)))
      const vm = await named('VM', name)
      const rounds = Array.from({ length: 3 }, (_, round) => round)

      await Promise.all([
        ...rounds.map(round => ok(host, 'setmaxmem', name, `${64 + 2 * round}M`, '--config')),
        ...rounds.map(round => root.ok('VM.set_name_description', vm, `round ${round}`)),
        root.ok('VM.start', vm, true),
      ])
      const size = /^Max memory: +(\d+) KiB$/m.exec(await ok(host, 'dominfo', name))?.[1]
      await root.ok('VM.hard_shutdown', vm)

      const shown = BigInt(await root.text('VM.get_memory_static_max', vm)) / 1024n
      const description = await root.text('VM.get_name_description', vm)
      assert(description.startsWith('round '))
      assert.match(await ok(host, 'dumpxml', name), new RegExp(`<memory unit=.KiB.>${shown}<[^]*`))
      assert([65_536n, 67_584n, 69_632n].includes(shown), `${shown}, ${size}`)
      await root.ok('VM.delete', vm)
      assert.match(await no(host, 'dominfo', name), /failed to get domain/)
    })

    test('a network that virsh defines is one of the other API, and nobody takes it from a machine', async () => {
      const name = `red-${host}`
      await ok(host, 'net-define', await written(networkXml(traits, name)))
      const network = await named('network', name)
      const vm = await machine(hostOf(host), `wired-${host}`)
      await root.text('VIF.create', { VM: vm, network, device: 'eth0' })

      await root.ok('VM.start', vm, true)
      assert.match(await ok(host, 'net-info', name), /Active: +yes/)
      assert.match(await no(host, 'net-destroy', name), /plugged|in use|operation/i)
      await root.ok('VM.hard_shutdown', vm)
      await root.ok('VM.delete', vm)
      await ok(host, 'net-destroy', name)
      await ok(host, 'net-undefine', name)
      assert.deepEqual(await root.list('network.get_by_name_label', name), [])
    })
  })
}

test('repositories of one name are pools of several, and the oldest has the name', async () => {
  const [traits] = HOSTS
  assert(traits !== undefined)
  const other = { ...traits, folder: () => traits.folder(server, 'twin-2') }
  const [first, second] = [await repository(traits, 'twin'), await repository(other, 'twin')]
  const uuidOf = async (pool: string) => (await ok(traits.name, 'pool-uuid', pool)).trim()

  assert.equal(await uuidOf('twin'), first)
  assert.equal(await uuidOf(`twin (${second.slice(0, 8)})`), second)
  await root.ok('SR.delete', first)

  assert.equal(await uuidOf('twin'), second)
})
