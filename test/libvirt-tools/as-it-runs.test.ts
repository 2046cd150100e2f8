import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type HostName, serve, type World } from './world.ts'

/** Hosts that know of a machine that runs what it was started with, whatever its definition has become. */
const HOSTS = ['memory', 'qemu'] as const satisfies readonly HostName[]
const TYPES = { memory: 'test', qemu: 'qemu' } as const

describe('what virsh is told of a domain that runs', () => {
  let world: World
  before(async () => {
    world = await serve({ hosts: [...HOSTS, 'v1', 'v2'] })
  })
  after(async () => {
    await world.close()
    assert.deepEqual(world.complaints, [])
  })

  for (const host of HOSTS) {
    it(`is how it runs, and not what it is to be at its next start, on ${host}`, async () => {
      const folder = join(world.folder, 'images')
      const file = join(world.folder, `${host}.xml`)
      await world.each(host, [
        `pool-create-as images dir --target ${folder} --build`,
        `vol-create-as images ${host}-old.qcow2 8M --format qcow2`,
        `vol-create-as images ${host}-new.qcow2 16M --format qcow2`,
      ])
      await writeFile(
        file,
        `<domain type='${TYPES[host]}'><name>both</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
          <os><type arch='x86_64'>hvm</type></os><devices><disk type='file'><driver type='qcow2'/>
          <source file='${folder}/${host}-old.qcow2'/><target dev='hda' bus='ide'/></disk></devices></domain>`,
      )
      await world.each(host, [
        `define ${file}`,
        'start both',
        'setmaxmem both 128M --config',
        'setvcpus both 2 --config',
        'detach-disk both hda --config',
        `attach-disk both ${folder}/${host}-new.qcow2 vdb --subdriver qcow2 --config`,
      ])

      const ask = ['dominfo both', 'domstats both', 'domblklist both', 'domblkinfo both hda', 'domblkstat both hda']
      const [info = '', stats = '', disks = '', sizes = '', counted = ''] = await world.each(host, ask)
      assert.match(info, /^CPU\(s\): +1$[^]*^Max memory: +65536 KiB$/m)
      assert.match(
        stats,
        /balloon.maximum=65536\n[^]* vcpu.current=1\n[^]*block.count=1\n +block.0.name=hda\n[^]*capacity=8388608/,
      )
      assert.match(disks, /^hda +\S+old.qcow2$/)
      assert.match(sizes, /^Capacity: +8388608$/m)
      assert.match(counted, /^hda rd_bytes \d+$/m)

      const ended = ['destroy both', 'dominfo both', 'domstats both', 'domblklist both', 'undefine both']
      const [, later = '', counts = '', then = ''] = await world.each(host, ended)
      assert.match(later, /^CPU\(s\): +2$[^]*^Max memory: +131072 KiB$/m)
      assert.match(counts, /balloon.maximum=131072\n +vcpu.current=2\n[^]*block.0.name=vdb/)
      assert.match(then, /^vdb +\S+new.qcow2$/)
    })
  }

  for (const host of ['v1', 'v2'] as const) {
    it(`is how it runs where its definition waits for the host, on ${host}`, async () => {
      const file = join(world.folder, `${host}.xml`)
      const ending = host === 'v1' ? 'vhd' : 'vhdx'
      await world.each(host, [
        `pool-create-as images dir --target 'C:\\\\images'`,
        `vol-create-as images old.${ending} 8M`,
        `vol-create-as images new.${ending} 16M`,
      ])
      const source = (name: string) => `C:\\images\\${name}.${ending}`
      await writeFile(
        file,
        `<domain type='hyperv'><name>both</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
          <os><type arch='x86_64'>hvm</type></os><devices><disk type='file'><source file='${source('old')}'/>
          <target dev='hda' bus='ide'/></disk></devices></domain>`,
      )
      await world.each(host, [
        `define ${file}`,
        'start both',
        'setvcpus both 2 --config',
        'setmaxmem both 128M --config',
        'setmem both 32M --config',
        'detach-disk both hda --config',
      ])
      await world.ok(host, 'attach-disk', 'both', source('new'), 'hdb', '--targetbus', 'ide', '--config')

      const ask = ['dumpxml both', 'domblklist both', 'domblkinfo both hda', 'domblklist both --inactive']
      const [xml = '', disks = '', sizes = '', later = ''] = await world.each(host, ask)
      assert.match(xml, />65536<\/memory>\s*<currentMemory unit='KiB'>65536<\/currentMemory>\s*<vcpu[^>]*>1<\/vcpu>/)
      assert.equal(disks.replaceAll(/ +/g, ' '), `hda ${source('old')}`)
      assert.match(sizes, /^Capacity: +8388608$/m)
      const counted = ['domstats both', 'domblkstat both hda']
      const [told = '', requests = ''] = await world.each(host, counted)
      assert.match(
        told,
        /balloon.current=65536\n +balloon.maximum=65536\n[^]* vcpu.current=1\n[^]*block.count=1\n +block.0.name=hda\n/,
      )
      assert.match(told, /block.0.rd.reqs=\d+$[^]*block.0.capacity=8388608$/m)
      assert.match(requests, /^hda rd_req \d+$/m)
      assert.equal(later.replaceAll(/ +/g, ' '), `hdb ${source('new')}`)

      const off = ['destroy both', 'dumpxml both', 'dominfo both', 'domstats both', 'vcpucount both --current']
      const [, defined = '', info = '', stats = '', count = ''] = await world.each(host, off)
      assert.match(defined, />2<\/vcpu>/)
      assert.match(info, /^CPU\(s\): +2$[^]*^Max memory: +131072 KiB$[^]*^Used memory: +32768 KiB$/m)
      assert.match(stats, /balloon.current=32768\n +balloon.maximum=131072\n +vcpu.current=2\n/)
      assert.match(count, /^2$/m)

      const again = ['start both', 'domblklist both', 'destroy both', 'undefine both']
      const [, then = ''] = await world.each(host, again)
      assert.equal(then.replaceAll(/ +/g, ' '), `hdb ${source('new')}`)
    })

    it(`changes how it runs and not what waits for the host, on ${host}`, async () => {
      const file = join(world.folder, `${host}-waits.xml`)
      const ending = host === 'v1' ? 'vhd' : 'vhdx'
      await writeFile(
        file,
        `<domain type='hyperv'><name>waits</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
          <os><type arch='x86_64'>hvm</type></os></domain>`,
      )
      const image = `'C:\\images\\pulled.${ending}'`
      await world.each(host, [
        `vol-create-as images pulled.${ending} 8M`,
        `define ${file}`,
        `attach-disk waits ${image} sdb --targetbus scsi --config`,
        'start waits',
        'setvcpus waits 2 --config',
        'detach-disk waits sdb --config',
      ])
      const [target = ''] = (await world.each(host, ['domblklist waits']))[0]?.split(/ /) ?? []
      const told = [
        'domblklist waits',
        'domblklist waits --inactive',
        'dominfo waits',
        'vcpucount waits --config --active',
      ]
      const [, left, later, info = '', vcpus] = await world.each(host, [`detach-disk waits ${target} --live`, ...told])
      assert.deepEqual([left, later, vcpus], ['', '', '2'])
      assert.match(info, /^CPU\(s\): +1$/m)

      if (host === 'v2') {
        const given = ['setmaxmem waits 96M --config', 'setmem waits 32M --live', 'dominfo waits', 'domstats waits']
        const [, , less = '', stats = ''] = await world.each(host, given)
        assert.match(less, /^Max memory: +65536 KiB$[^]*^Used memory: +32768 KiB$/m)
        assert.match(stats, /balloon.current=32768\n +balloon.maximum=65536\n/)
        assert.match(await world.no(host, 'setmem', 'waits', '80M', '--live'), /up to 67108864 bytes of memory/)
        const taken = ['setmem waits 64M --live', 'dumpxml waits', 'dumpxml waits --inactive']
        const [, more = '', defined = ''] = await world.each(host, taken)
        assert.match(more, />65536<\/memory>\s*<currentMemory unit='KiB'>65536</)
        assert.match(defined, />98304<\/memory>/)
      }
      await world.each(host, ['destroy waits', 'undefine waits'])
    })
  }
})
