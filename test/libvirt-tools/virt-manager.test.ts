import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { network } from '../conformance/parts.ts'
import { startHost, type HypervHost } from '../hyperv/setting.ts'
import { PAINT, writePainter } from '../guests/painter.ts'
import { ApiClient, type Session } from '../support/client.ts'
import { endGuests, until } from '../support/machine.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'
import { Desktop } from './desktop.ts'
import { Validation } from './validation.ts'
import { type MachineWindow, VirtManager } from './virt-manager.ts'
import { toolsFor, uriOf } from './world.ts'

/*
 * Chapter 6 of the document "libvirt driver for Hyper-V", with the tool that it was done with: Debian's virt-manager, on a
 * screen that nobody sees, does with a Hyper-V host all that the chapter tried. What virt-manager never does, and what it
 * does without showing it, is tried with virsh.
 */

const OUTPUT = join(import.meta.dirname, '..', 'output', 'virt-manager')
/** What virt-manager calls the two hosts. */
const HYPERV = 'hyperv hv1'
const QEMU = 'QEMU/KVM'
/** What the screen of the guest, 640 x 400, has at least of the part of the window that is for it. */
const PAINTED_SHARE = 0.3
const MIB = 1_048_576
/** Windows Server 2022, as it tells libvirt. */
const BUILD = 20_348
const VERSION = '1000.20.348'

const validation = new Validation(fileURLToPath(import.meta.url))
let desktop: Desktop
let host: HypervHost
let server: Server
let client: ApiClient
let root: Session
let folder: string
let socket: string
let manager: VirtManager
let virsh: (of: 'hyperv' | 'qemu', ...args: readonly string[]) => Promise<string>

before(async () => {
  await mkdir(OUTPUT, { recursive: true })
  folder = await mkdtemp(join(tmpdir(), 'pv-'))
  host = await startHost('--build', String(BUILD), '--pace', '0', '--vms', '2', '--name', 'HV1')
  await settle()
  socket = join(folder, 'libvirt-sock')
  server = await startServer({
    data: join(folder, 'data'),
    hosts: ['qemu:///system', host.uri.href],
    options: ['--listen', `libvirt+unix://${socket}`, '--listen', 'libvirt+tcp://127.0.0.1:0?auth=none'],
  })
  client = new ApiClient(server.http)
  root = await client.login(ADMIN.name, ADMIN.password)
  const names = { hyperv: 'hv1', qemu: 'system' } as const
  virsh = toolsFor((of: keyof typeof names) => uriOf(of, names[of], socket), folder).ok
  desktop = await Desktop.open()
  manager = new VirtManager(desktop, uriOf('hyperv', 'hv1', socket))
})

/** Waits until virsh tells this of the Hyper-V host; virt-manager lets go of a button before its work is done. */
async function tells(command: readonly string[], what: RegExp): Promise<void> {
  await until(`virsh ${command.join(' ')} to tell ${what}`, async () =>
    what.test(await virsh('hyperv', ...command)) ? true : undefined,
  )
}

/** Where the server listens for libvirt's clients that come by TCP, as it says itself. */
async function tcpPort(): Promise<string> {
  const text = await readFile(join(server.data, 'listeners.json'), 'utf8')
  return /"libvirt\+tcp:\/\/127\.0\.0\.1:(\d+)"/.exec(text)?.[1] ?? ''
}

/** A switch and an image, as a host has them. */
async function settle(): Promise<void> {
  const driver = await host.connect()
  await driver.networks?.define(network({ name: 'Internal' }))
  const [place] = (await driver.storage?.repositories()) ?? []
  assert(place !== undefined)
  await driver.storage?.createVolume(place, { name: 'data', format: 'vhdx', virtualBytes: 64 * MIB })
  await driver.close()
}

after(async () => {
  await writeFile(join(OUTPUT, 'virt-manager.log'), manager?.log ?? '')
  await writeFile(join(OUTPUT, 'server.log'), server?.log() ?? '')
  await desktop?.close()
  client?.close()
  await server?.stop()
  await host?.sim.close()
  await endGuests(folder)
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
})

/** What the guests of simulated machines obey when they are asked to shut down. */
const NAME = 'web-made'
const IMAGE = 'data.vhdx'
let machine: MachineWindow

const countOnServer = async () => {
  const names = await Promise.all((await root.list('VM.get_all')).map(vm => root.text('VM.get_name_label', vm)))
  const listed = (await virsh('hyperv', 'list', '--all', '--name')).trim().split('\n')
  return [names, listed].map(all => all.filter(name => name.startsWith(NAME)).length)
}

validation.test('virt-manager lists the machines of a Hyper-V host, and opens the details of one', async () => {
  await manager.shows('vm-0001', 'Running')
  await manager.shows('vm-0002', 'Shutoff')
  const window = await manager.open('vm-0001', HYPERV)
  await window.page('Memory')

  const memory = await window.value('Maximum allocation')
  await tells(['dominfo', 'vm-0001'], new RegExp(`Max memory: +${Number(memory) * 1024} KiB`))
  await manager.shot(join(OUTPUT, '1-list.png'))
  await window.close()
})

// Validates: Get Hyper-V version level, Get Hyper-V capabilities
validation.test('virt-manager tells of the version and of the capabilities that it is told', async () => {
  assert(manager.log.includes(`hypervisor=${VERSION}`))
  assert.match(manager.log, /Fetched capabilities for hyperv\+unix:[^]*?<domain type=['"]hyperv['"]\/>/)
})

// Validates: Get number of active networks, Get active networks names, Get number of inactive networks
// Validates: Get inactive networks names, Get a networks by its name, Get network XML description
validation.test(
  'the window of the connection lists the virtual networks, and shows the XML of the one that is chosen',
  async () => {
    const window = await manager.host(HYPERV)
    const xml = await window.networkXml('Internal')

    const uuid = (await virsh('hyperv', 'net-uuid', 'Internal')).trim()
    assert.match(xml, new RegExp(`<name>Internal</name>\\s*<uuid>${uuid}</uuid>`))
    assert.deepEqual((await virsh('hyperv', 'net-list', '--name')).trim().split('\n'), ['Internal'])
    assert.equal((await virsh('hyperv', 'net-list', '--inactive', '--name')).trim(), '')
    await manager.shot(join(OUTPUT, '2-networks.png'))
    await window.close()
  },
)

// Validates: Create a VM
validation.test('the wizard makes one machine, and not two, with a disk', async () => {
  machine = await manager.create(HYPERV, { name: NAME })

  await manager.shows(NAME, 'Running')
  assert.deepEqual(await countOnServer(), [1, 1])
  await tells(['domblklist', NAME], /hda +\S.*\.vhdx/)
  await manager.shot(join(OUTPUT, '3-made.png'))
})

// Validates: Shutdown a VM
validation.test('its buttons have the guest shut down, cut its power, and start it again', async () => {
  await machine.press('Shut Down')
  await manager.shows(NAME, 'Shutoff')
  await tells(['domstate', NAME], /^shut off$/m)

  await machine.press('Run')
  await manager.shows(NAME, 'Running')
  await machine.forceOff()
  await manager.shows(NAME, 'Shutoff')
})

// Validates: Update vCPUs number, Get vCPUs number
validation.test('the page of the CPUs shows their number, and changes it', async () => {
  await machine.page('CPUs')
  assert.equal(await machine.value('vCPU allocation'), '1')
  await machine.change('CPUs', { 'vCPU allocation': '2' })

  await tells(['vcpucount', NAME, '--config', '--current'], /^2$/m)
  assert.equal(await machine.value('vCPU allocation'), '2')
})

// Validates: Update memory capacity, Update maximum memory capacity
validation.test('the page of the memory changes what a machine has and the most that it can have', async () => {
  await machine.change('Memory', { 'Maximum allocation': '2048', 'Current allocation': '512' })

  await tells(['dumpxml', NAME], /<memory unit='KiB'>2097152<\/memory>\s*<currentMemory unit='KiB'>524288</)
  await manager.shot(join(OUTPUT, '4-memory.png'))
})

// Validates: Update automatic startup action, Get automatic startup action
validation.test('the page of the boot options turns the automatic start on and off', async () => {
  const page = ['Boot Options', 'Start virtual machine on host boot up'] as const
  const shows = async (isTicked: boolean) => {
    assert.equal(await machine.isTicked(...page), isTicked)
    await tells(['dominfo', NAME], isTicked ? /Autostart: +enable/ : /Autostart: +disable/)
  }

  // Hyper-V starts one again that ran when the host went down, unless it is told otherwise.
  await shows(true)
  for (const isTicked of [false, true]) {
    await machine.tick(...page, isTicked)
    await shows(isTicked)
  }
})

// Validates: Attach virtual hard drive
validation.test('an image that lies in a pool becomes a disk', async () => {
  await machine.addDisk('default', IMAGE)

  await machine.page('.*Disk 2')
  await tells(['domblklist', NAME], new RegExp(`hdb +\\S.*${IMAGE}`))
  await manager.shot(join(OUTPUT, '5-disk.png'))
})

// Validates: Connect virtual network
validation.test('a virtual network is connected', async () => {
  await machine.addNic('Internal')

  await tells(['domiflist', NAME], /network +Internal/)
})

// Validates: Get information about vCPUs, Get maximum of vCPUs, Get host free memory, Get scheduler type
// Validates: Get scheduler parameters
validation.test(
  'virsh tells of virtual CPUs, free memory and the scheduler, for which virt-manager has no place',
  async () => {
    await machine.press('Run')
    await manager.shows(NAME, 'Running')
    assert.match(await virsh('hyperv', 'vcpuinfo', NAME), /VCPU: +0\n[^]*State: +running\n[^]*VCPU: +1\n/)
    assert.equal(Number(await virsh('hyperv', 'maxvcpus')), 16)
    assert.match(await virsh('hyperv', 'freecell'), /Total: [1-9]\d* KiB/)
    assert.match(
      await virsh('hyperv', 'schedinfo', NAME),
      /Scheduler +: allocation\nlimit +: 100000\nreservation +: 0\nweight +: 100\n/,
    )
  },
)

// Validates: Destroy a VM
validation.test('the machine, of which there is still but one, is deleted, and its image is not', async () => {
  assert.deepEqual(await countOnServer(), [1, 1])

  await machine.delete()

  await manager.forgets(NAME)
  await until('the server to forget it', async () => ((await countOnServer()).join(' ') === '0 0' ? true : undefined))
  assert.match(await virsh('hyperv', 'vol-list', 'default'), new RegExp(IMAGE))
})

test('virt-manager makes a guest of a disk image on the QEMU host, and shows what the guest shows', async () => {
  const image = join(folder, 'painter.raw')
  await writePainter(image)
  await manager.connect(uriOf('qemu', 'system', socket))

  const window = await manager.create(QEMU, { name: 'painter', image })

  const isPainted = async (where: MachineWindow) => ((await where.shareOf(PAINT)) > PAINTED_SHARE ? true : undefined)
  await until('the guest to paint the screen', () => isPainted(window))
  await manager.shot(join(OUTPUT, '6-console.png'))
  await window.forceOff()
  await manager.shows('painter', 'Shutoff')
  await window.press('Run')
  await manager.shows('painter', 'Running')
  await until('the guest to paint it again', () => isPainted(window))
  await window.close()
  const other = await manager.look(`qemu+tcp://127.0.0.1:${await tcpPort()}/system`, `${QEMU}: 127.0.0.1`, 'painter')
  await until('the guest to be seen over TCP', () => isPainted(other))
  await manager.shot(join(OUTPUT, '7-console-over-tcp.png'))
  await other.delete()
  await manager.forgets('painter')
  assert.equal((await virsh('qemu', 'list', '--all', '--name')).trim(), '')
})

test('every functionality of the document is correct', async () => {
  await writeFile(join(OUTPUT, 'validation.md'), validation.table)
  assert.deepEqual(validation.incorrect, [])
})
