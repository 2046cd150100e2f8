import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type HostName, serve, type World } from './world.ts'

/** How many CPUs each host has, and what its domains are. */
const HOSTS: readonly { readonly host: HostName; readonly type: string; readonly vnc: boolean }[] = [
  { host: 'memory', type: 'test', vnc: true },
  { host: 'qemu', type: 'qemu', vnc: true },
  { host: 'v1', type: 'hyperv', vnc: false },
  { host: 'v2', type: 'hyperv', vnc: false },
]

/** What virsh asks in vain, since no host here tells it, by the function that it names. */
const UNKNOWN: Readonly<Record<string, readonly string[]>> = {
  virConnectGetSysinfo: ['sysinfo'],
  virConnectGetCPUModelNames: ['cpu-models', 'x86_64'],
  virNodeGetMemoryParameters: ['node-memory-tune'],
  virNodeNumOfDevices: ['nodedev-list'],
  virConnectNumOfInterfaces: ['iface-list'],
  virConnectNumOfNWFilters: ['nwfilter-list'],
  virConnectNumOfSecrets: ['secret-list'],
}

describe('virsh about the machine of a host', () => {
  let world: World
  before(async () => {
    world = await serve({ hosts: HOSTS.map(({ host }) => host) })
  })
  after(() => world.close())

  for (const { host, type, vnc } of HOSTS) {
    it(`is told what the host ${host} is made of, has used and has left`, async () => {
      const { cpus, memoryBytes } = await world.driver(host).host.info()

      const info = await world.ok(host, 'nodeinfo')
      const map = await world.ok(host, 'nodecpumap')
      const used = await world.ok(host, 'nodecpustats')
      const memory = await world.ok(host, 'nodememstats')
      const cells = await world.ok(host, 'freecell', '--all')

      assert.match(
        info,
        new RegExp(`CPU\\(s\\): +${cpus.length}\n[^]*Memory size: +${Math.floor(memoryBytes / 1_024)} KiB`),
      )
      assert.match(map, new RegExp(`CPUs present: +${cpus.length}\nCPUs online: +${cpus.length}\nCPU map: +y+\n`))
      assert.match(used, /user: +\d+\n(system: +\d+\n)?idle: +\d+\n/)
      assert.match(memory, new RegExp(`total +: +${Math.floor(memoryBytes / 1_024)} KiB\nfree +: +\\d+ KiB`))
      assert.match(cells, / 0: +\d+ KiB\n-+\nTotal: +\d+ KiB/)
    })

    it(`is told what machines the host ${host} can have`, async () => {
      const max = (await world.ok(host, 'maxvcpus')).trim()
      const capabilities = await world.ok(host, 'capabilities')
      const machines = await world.ok(host, 'domcapabilities')

      assert.match(capabilities, new RegExp(`<domain type=.${type}.`))
      assert.match(machines, new RegExp(`<domain>${type}</domain>[^]*<vcpu max=.${max}.`))
      assert.match(machines, vnc ? /<value>vnc<\/value>/ : /<graphics supported=.no.\/>/)
      assert.match(
        await world.no(host, 'domcapabilities', '--arch', 'aarch64'),
        /machines here are x86_64, not aarch64/,
      )
    })

    it(`is told by name what the host ${host} does not tell`, async () => {
      for (const [name, args] of Object.entries(UNKNOWN)) {
        assert.match(await world.no(host, ...args), new RegExp(`not supported by the connection driver: ${name}`))
      }
    })
  }
})
