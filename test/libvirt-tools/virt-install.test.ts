import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as linux from '../guests/linux.ts'
import { runTool } from './tool.ts'
import { type HostName, serve, type World } from './world.ts'

/** What Debian's osinfo-db calls systems. */
const OSINFO = 'http://libosinfo.org/xmlns/libvirt/domain/1.0'
const TOOL_MS = 90_000
const BOOT_MS = 90_000

/** Runs one of virtinst's tools on a host to its end. */
const tool = (world: World, command: string, host: HostName, ...args: readonly string[]) =>
  runTool(command, ['--connect', world.uri(host), ...args], world.folder, { ms: TOOL_MS })

/** Lets virt-install make a machine as it does by itself; what is said here is what it demands to be told. */
async function install(world: World, host: HostName, name: string, ...args: readonly string[]): Promise<void> {
  const least = ['--name', name, '--memory', '256', '--noautoconsole']
  const { code, stdout, stderr } = await tool(world, 'virt-install', host, ...least, ...args)
  assert.equal(code, 0, stderr)
  assert.match(stdout, /Domain creation completed|Domain is still running/)
}

/** The names of all machines that a host has. */
async function names(world: World, host: HostName): Promise<readonly string[]> {
  return (await world.ok(host, 'list', '--all', '--name')).split('\n').filter(name => name !== '')
}

/** Resolves once a guest has printed this on its serial port. */
async function printed(world: World, host: HostName, id: string, text: string): Promise<void> {
  const { consoles } = world.driver(host)
  assert(consoles !== undefined)
  const deadline = performance.now() + BOOT_MS
  for (;;) {
    const { data } = await consoles.readSerial(id, 0, 1_048_576)
    if (Buffer.from(data).includes(text)) return
    assert(performance.now() < deadline, `the guest has not printed ${text}: ${Buffer.from(data).toString()}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

describe('virt-install', () => {
  let world: World
  before(async () => {
    world = await serve({ hosts: ['memory', 'qemu', 'v1', 'v2'] })
    const pool = join(world.folder, 'pool')
    await mkdir(pool)
    // virt-install would make these two of folders of this machine, and of what its networks are called elsewhere.
    await world.ok('qemu', 'pool-create-as', 'default', 'dir', '--target', pool)
    await world.ok('memory', 'pool-create-as', 'default', 'dir', '--target', '/pools/default')
  })
  after(() => world.close())

  it('boots a guest of QEMU with a new disk, by a kernel and its first file system', async () => {
    const initrd = join(world.folder, 'initrd.cpio')
    await linux.writeInitrd(initrd)
    const boot = `kernel=${await linux.kernel()},initrd=${initrd},kernel_args=${linux.CONSOLE} quiet`

    await install(
      world,
      'qemu',
      'deb',
      '--disk',
      'size=1',
      '--import',
      '--boot',
      boot,
      '--osinfo',
      'debian11',
      '--network',
      'none',
    )

    assert.deepEqual(await names(world, 'qemu'), ['deb'])
    const id = (await world.ok('qemu', 'domuuid', 'deb')).trim()
    await printed(world, 'qemu', id, linux.GREETING)
    const xml = await world.ok('qemu', 'dumpxml', 'deb')
    assert.match(xml, /<source file=.*\/pool\/deb\.qcow2.\/>\s+<target dev=.vda. bus=.virtio.\/>/)
    assert.match(xml, /<libosinfo:os id=.http:\/\/debian\.org\/debian\/11.\/>/)
    assert.match(await world.ok('qemu', 'metadata', 'deb', OSINFO), /debian\/11/)
    await world.ok('qemu', 'destroy', 'deb')
  })

  it('installs Windows from a CD on QEMU, with what it asks for by itself, and defines it to boot from its disk then', async () => {
    const network = join(world.folder, 'network.xml')
    await writeFile(network, "<network><name>default</name><forward mode='nat'/></network>")
    await world.ok('qemu', 'net-define', network)
    const cd = join(world.folder, 'pool', 'install.iso')
    await writeFile(cd, Buffer.alloc(1_048_576))

    await install(world, 'qemu', 'win', '--disk', 'size=1', '--cdrom', cd, '--osinfo', 'win10')

    assert.match(await world.ok('qemu', 'list', '--name', '--uuid'), /^\S+\s+win\s*$/m)
    assert.equal((await names(world, 'qemu')).filter(name => name === 'win').length, 1)
    const xml = await world.ok('qemu', 'dumpxml', 'win', '--inactive')
    assert.match(xml, /<boot dev=.hd.\/>/)
    assert.match(xml, /<clock offset=.localtime./)
    assert.match(xml, /<source network=.default.\/>/)
    // The second half of such an installation wants it.
    assert.match(xml, /<source file=.*\/install\.iso.\/>/)
    await world.ok('qemu', 'destroy', 'win')
  })

  it('is told what no machine here can have, and then leaves none', async () => {
    const before = await names(world, 'qemu')
    const least = [
      '--name',
      'odd',
      '--memory',
      '256',
      '--disk',
      'none',
      '--import',
      '--osinfo',
      'debian11',
      '--network',
      'none',
    ]

    const { code, stderr } = await tool(
      world,
      'virt-install',
      'qemu',
      ...least,
      '--noautoconsole',
      '--graphics',
      'spice',
    )

    assert.equal(code, 1)
    assert.match(stderr, /unsupported configuration: domain\/devices\/\S+ = 'spicevmc' is not supported/)
    assert.deepEqual(await names(world, 'qemu'), before)
  })

  for (const { host, ending, format, os } of [
    { host: 'v1', ending: 'vhd', format: 'vpc', os: 'win2k8r2' },
    { host: 'v2', ending: 'vhdx', format: 'vhdx', os: 'win2k19' },
  ] as const) {
    it(`makes one machine of an image and a network on Hyper-V, through ${host}`, async () => {
      const file = `data.${ending}`
      const network = join(world.folder, 'switch.xml')
      await writeFile(network, '<network><name>default</name></network>')
      await world.ok(host, 'net-define', network)
      await world.ok(host, 'vol-create-as', 'Virtual Hard Disks', file, '1G', '--format', format)

      const disk = `vol=Virtual Hard Disks/${file}`
      await install(world, host, 'web', '--disk', disk, '--import', '--osinfo', os, '--vcpus', '2')

      assert.deepEqual(await names(world, host), ['web'])
      assert.match(await world.ok(host, 'dominfo', 'web'), /State:\s+running\nCPU\(s\):\s+2\n[^]*Persistent:\s+yes/)
      assert.match(await world.ok(host, 'domblklist', 'web'), new RegExp(`hda\\s+C:\\\\.*\\\\${file}`))
      assert.match(await world.ok(host, 'domiflist', 'web'), /network\s+default/)
      assert.match(await world.ok(host, 'metadata', 'web', OSINFO), /microsoft/)

      // It asks for a raw image, as it knows of no other kind here.
      await install(world, host, 'new', '--disk', 'pool=Virtual Hard Disks,size=1', '--import', '--osinfo', os)

      assert.match(await world.ok(host, 'domblklist', 'new'), new RegExp(`hda\\s+C:\\\\.*\\\\new\\S*\\.${ending}`))
      assert.deepEqual((await names(world, host)).toSorted(), ['new', 'web'])
    })
  }

  it('makes a machine on a host in memory, which virt-xml changes and virt-clone copies', async () => {
    await install(
      world,
      'memory',
      'lab',
      '--disk',
      'size=1,format=qcow2',
      '--import',
      '--osinfo',
      'debian11',
      '--network',
      'none',
    )
    await world.ok('memory', 'destroy', 'lab')
    const edit = (...args: readonly string[]) => tool(world, 'virt-xml', 'memory', 'lab', '--edit', ...args)

    const vcpus = await edit('--vcpus', '4')
    const titled = await edit('--metadata', 'title=A title,description=What it is for')
    const clone = await tool(world, 'virt-clone', 'memory', '--original', 'lab', '--name', 'copy', '--auto-clone')

    for (const { code, stderr } of [vcpus, titled, clone]) assert.equal(code, 0, stderr)
    assert.deepEqual((await names(world, 'memory')).toSorted(), ['copy', 'lab'])
    const original = await world.ok('memory', 'dumpxml', 'lab')
    assert.match(original, /<title>A title<\/title>\s+<description>What it is for<\/description>/)
    const xml = await world.ok('memory', 'dumpxml', 'copy')
    assert.match(xml, /<vcpu placement=.static.>4<\/vcpu>/)
    assert.match(xml, /<source file=.\/pools\/default\/copy\.qcow2./)
  })
})
