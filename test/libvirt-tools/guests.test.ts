import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { bootLinux } from '../guests/linux-shell.ts'
import { TALKING, talkingGuest } from '../guests/talking-guest.ts'
import { type HostName, serve, type World } from './world.ts'

const HOSTS = ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]
const TYPES = { memory: 'test', qemu: 'qemu', v1: 'hyperv', v2: 'hyperv' } as const
/** What a test may take in all, on a machine that is busy with others. */
const TEST_MS = 120_000
const LOOK_MS = 100
const MAC = '52:54:00:12:34:56'

let world: World
before(async () => (world = await serve({ hosts: HOSTS, hyperv: ['--guest', 'windows'] })))
after(() => world.close())

/** What is in a description of a domain. */
interface Inside {
  readonly os?: string
  readonly disk?: string
}

const OS = `<os><type arch='x86_64'>hvm</type></os>`

/** How the description of one that runs says whether its agent listens, which virt-manager goes by. */
const channelIn = (state: string) =>
  new RegExp(`<target type='virtio' name='org.qemu.guest_agent.0' state='${state}'/>`)

/** Starts a domain with an interface on a network of its host. */
async function started(host: HostName, name: string, { os = OS, disk = '' }: Inside = {}): Promise<void> {
  const path = join(world.folder, `${name}.xml`)
  if (!(await world.ok(host, 'net-list', '--name')).includes('lab')) {
    const forward = TYPES[host] === 'hyperv' ? '' : `<forward mode='nat'/>`
    await writeFile(path, `<network><name>lab</name>${forward}</network>`)
    await world.ok(host, 'net-create', path)
  }
  const mac = name.startsWith('vm-') ? '' : `<mac address='${MAC}'/>`
  const nic = `<interface type='network'>${mac}<source network='lab'/></interface>`
  await writeFile(
    path,
    `<domain type='${TYPES[host]}'><name>${name}</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>${os}
      <devices>${nic}${disk}</devices></domain>`,
  )
  await world.ok(host, 'create', path)
}

async function untilAnswered(host: HostName, name: string): Promise<void> {
  while ((await world.virsh(host, ['domhostname', name])).code !== 0) await pause(LOOK_MS)
}

/** The table of a command of virsh, each line with single spaces, without its head. */
const rows = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .slice(2)
    .map(line => line.trim().replaceAll(/\s+/g, ' '))

test('virsh asks a guest on a memory host everything, and is told who is silent', { timeout: TEST_MS }, async () => {
  const disk = join(world.folder, 'pool.xml')
  await writeFile(disk, `<pool type='dir'><name>images</name><target><path>/images</path></target></pool>`)
  await world.ok('memory', 'pool-create', disk)
  await world.ok('memory', 'vol-create-as', 'images', 'a.raw', '1M', '--format', 'raw')
  const image = `<disk type='file'><source file='/images/a.raw'/><target dev='vda' bus='virtio'/></disk>`
  await started('memory', 'web', { disk: image })
  await started('memory', 'vm-without-agent')
  await untilAnswered('memory', 'web')

  const [lease = '', agent = '', arp = '', info = '', ...others] = await world.each('memory', [
    'domifaddr web',
    'domifaddr web --source agent --interface eth0',
    'domifaddr web --source arp --full',
    'guestinfo web --hostname --filesystem',
    'domhostname web',
    'domtime web --time 1000000000',
    'domtime web --pretty',
    'domtime web --sync',
    'domfsinfo web',
    'domfstrim web --minimum 4096',
  ])

  assert.equal(lease.replaceAll(/\s+/g, ' '), `eth0 ${MAC} ipv4 172.16.52.86/16`)
  assert.match(agent, /^eth0 +52:54:00:12:34:56 +ipv4 +172\.16\.52\.86\/16\n - +- +ipv6 +fe80::5054:ff:fe12:3456\/64$/)
  assert.equal(arp.replaceAll(/\s+/g, ' '), `eth0 ${MAC} ipv4 172.16.52.86/0`)
  assert.match(info, /^hostname +: web\nfs\.count +: 1\n[^]*fs\.0\.mountpoint +: \/\n[^]*fs\.0\.disk\.0\.alias +: vda/)
  const [name, set, time, sync, mounted = '', trimmed] = others
  assert.deepEqual([name, set, time?.slice(0, 16), sync], ['web', '', 'Time: 2001-09-09', ''])
  assert.match(mounted, /\/ +vda1 +ext4 +vda$/)
  assert.equal(trimmed, '')
  assert.equal((await world.ok('memory', 'domfsfreeze', 'web')).trim(), 'Froze 1 filesystem(s)')
  assert.equal((await world.ok('memory', 'domfsthaw', 'web')).trim(), 'Thawed 1 filesystem(s)')
  const silence = await world.no('memory', 'domhostname', 'vm-without-agent')
  assert.match(silence, /error: Guest agent is not responding: guest agent is not connected/)
  assert.match(await world.no('memory', 'shutdown', 'vm-without-agent', '--mode', 'agent'), /Guest agent is not resp/)
  assert.match(
    await world.no('memory', 'domfsthaw', 'web', '--mountpoint', '/'),
    /argument unsupported: specifying mountpoints is not supported/,
  )
  await world.ok('memory', 'reboot', 'web', '--mode', 'agent')
  await world.ok('memory', 'shutdown', 'vm-without-agent', '--mode', 'acpi,agent')
})

test('python3-libvirt asks a guest everything', { timeout: TEST_MS }, async () => {
  await started('memory', 'vm-without-agent-2')
  await untilAnswered('memory', 'web')

  const { stdout, stderr } = await world.python('memory', 'guests.py', ['web', 'vm-without-agent-2'])

  assert.deepEqual(stdout.trim().split('\n'), [
    `{'addrs': [{'addr': '172.16.52.86', 'prefix': 16, 'type': 0}, {'addr': 'fe80::5054:ff:fe12:3456', 'prefix': 64, 'type': 1}], 'hwaddr': '${MAC}'}`,
    `{'eth0': {'addrs': [{'addr': '172.16.52.86', 'prefix': 16, 'type': 0}], 'hwaddr': '${MAC}'}}`,
    'web',
    'memory True vda 2',
    `[('/', 'vda1', 'ext4', ['vda'])]`,
    '10000000',
    '1 1',
    'os.id',
    `8 invalid argument: unsupported guest information types '0x100000'`,
    'True Guest agent is not responding: guest agent is not connected',
  ])
  assert.match(stderr, /unsupported guest information types[^]*Guest agent is not responding/)
})

test('the address of a Windows guest of Hyper-V is told, where its host can tell', { timeout: TEST_MS }, async () => {
  for (const host of ['v2', 'v1'] as const) {
    await started(host, 'win')
    await untilAnswered(host, 'win')
    assert.equal((await world.ok(host, 'domhostname', 'win')).trim(), 'win')
    const told = await world.ok(host, 'guestinfo', 'win')
    assert.match(told, /os\.id +: mswindows[^]*os\.pretty-name +: Windows Server 2022 Standard[^]*hostname +: win/)
    assert.match(await world.no(host, 'domtime', 'win'), /not supported by the connection driver: virDomainGetTime/)
  }
  const [row = '', ...others] = rows(await world.ok('v2', 'domifaddr', 'win', '--source', 'agent'))
  assert.match(row, /^eth0 52:54:00:12:34:56 ipv4 172\.16\.\d+\.\d+\/16$/)
  assert.deepEqual(others, [])
  assert.match(await world.no('v2', 'domifaddr', 'win'), /source lease: this host tells addresses by agent/)
  assert.match(await world.no('v1', 'domifaddr', 'win', '--source', 'agent'), /this host tells no addresses/)
  assert.match(await world.no('v2', 'shutdown', 'win', '--mode', 'agent'), /VIR_DOMAIN_SHUTDOWN_GUEST_AGENT/)
})

test('a guest of QEMU is asked through its agent, and shut down by it', { timeout: TEST_MS }, async () => {
  const { boot } = await bootLinux(world.folder, ['deaf'], await talkingGuest())
  assert(boot.kind === 'kernel')
  const { kernel, initrd, cmdline } = boot
  const os = `<os><type arch='x86_64'>hvm</type><kernel>${kernel}</kernel><initrd>${initrd}</initrd>
    <cmdline>${cmdline}</cmdline></os>`
  const events = world.virsh('qemu', ['event', '--event', 'agent-lifecycle', '--timeout', '60'], { ms: TEST_MS })
  await started('qemu', 'talking', { os })
  assert.match(await world.no('qemu', 'domhostname', 'talking'), /: QEMU guest agent is not connected/)
  assert.match(await world.ok('qemu', 'dumpxml', 'talking'), channelIn('disconnected'))
  await untilAnswered('qemu', 'talking')
  assert.match(await world.ok('qemu', 'dumpxml', 'talking'), channelIn('connected'))
  const event = `event 'agent-lifecycle' for domain 'talking': state: 'connected' reason: 'channel event'`
  assert.equal((await events).stdout.split('\n')[0], event)
  assert.doesNotMatch(await world.ok('qemu', 'dumpxml', 'talking', '--inactive'), /connected'/)

  assert.equal((await world.ok('qemu', 'domhostname', 'talking')).trim(), TALKING.hostName)
  const addresses = rows(await world.ok('qemu', 'domifaddr', 'talking', '--source', 'agent', '--full'))
  assert(addresses.includes(`eth0 ${MAC} ipv4 ${TALKING.address}/${TALKING.prefix}`), addresses.join('\n'))
  const info = await world.ok('qemu', 'guestinfo', 'talking')
  assert.match(info, /os\.id +: talking\n[^]*timezone\.name +: UTC\n[^]*hostname +: talking\.example/)
  assert.match(await world.ok('qemu', 'domfsfreeze', 'talking'), /^Froze 0 filesystem\(s\)/)
  assert.match(await world.ok('qemu', 'domfsthaw', 'talking'), /^Thawed 0 filesystem\(s\)/)
  await world.ok('qemu', 'shutdown', 'talking', '--mode', 'agent')
  while (!(await world.ok('qemu', 'list', '--all')).includes('shut off')) await pause(LOOK_MS)
})
