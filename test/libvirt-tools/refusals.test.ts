import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type HostName, serve, type World } from './world.ts'

const HOSTS = ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]
const TYPES: Readonly<Record<HostName, string>> = { memory: 'test', qemu: 'qemu', v1: 'hyperv', v2: 'hyperv' }

/** What a domain that is off does not, as libvirt's own drivers say it. */
const OFF = [
  'send-key off KEY_A',
  'screenshot off /nowhere',
  'dommemstat off',
  'domblkstat off hda',
  'domjobinfo off',
  'domcontrol off',
]

/** What is done to a domain for which it must be on. */
const STEPS = ['suspend', 'resume', 'shutdown', 'reboot', 'reset', 'destroy', 'managedsave'] as const

type Complaints = Readonly<Record<(typeof STEPS)[number], string>>

const INVALID = 'Requested operation is not valid: '
const NOT_RUNNING = `${INVALID}domain is not running`
const HYPERV: Complaints = {
  suspend: `${INVALID}Domain is not active`,
  resume: `${INVALID}Domain is not paused`,
  shutdown: `${INVALID}Domain is not active or in state transition`,
  reboot: `${INVALID}Domain is not active`,
  reset: `${INVALID}Domain is not active`,
  destroy: `${INVALID}Domain is not active or is in state transition`,
  managedsave: `${INVALID}Domain is not active or is in state transition`,
}
const QEMU: Complaints = {
  suspend: NOT_RUNNING,
  resume: NOT_RUNNING,
  shutdown: NOT_RUNNING,
  reboot: NOT_RUNNING,
  reset: NOT_RUNNING,
  destroy: NOT_RUNNING,
  managedsave: NOT_RUNNING,
}
const TEST: Complaints = {
  ...QEMU,
  suspend: `internal error: domain 'off' not running`,
  resume: `internal error: domain 'off' not paused`,
  shutdown: `internal error: domain 'off' not running`,
}

/** What they say of one that is off. */
const IS_OFF: Readonly<Record<HostName, Complaints>> = { memory: TEST, qemu: QEMU, v1: HYPERV, v2: HYPERV }

/** What they say of one that is paused, where they say anything. */
const IS_PAUSED: Readonly<Record<HostName, Partial<Complaints>>> = {
  memory: { suspend: TEST.suspend, shutdown: TEST.shutdown, reset: '' },
  qemu: { suspend: '', shutdown: QEMU.shutdown, reset: '' },
  v1: { suspend: HYPERV.suspend, shutdown: HYPERV.shutdown, reset: HYPERV.reset },
  v2: { suspend: HYPERV.suspend, shutdown: HYPERV.shutdown, reset: HYPERV.reset },
}

/** Functions of drivers that no host has, by what calls them. */
const OF_OTHER_DRIVERS: readonly (readonly [command: string, name: string])[] = [
  ['qemu-monitor-command off query-status', 'virDomainQemuMonitorCommand'],
  ['qemu-agent-command off guest-ping', 'virDomainQemuAgentCommand'],
  ['qemu-attach 1', 'virDomainQemuAttach'],
  ['qemu-monitor-event --timeout 1', 'virConnectDomainQemuMonitorEventRegister'],
]

/** What there is not, and what libvirt's own drivers say then. */
const MISSING: readonly (readonly [command: string, complaint: string])[] = [
  ['domstate nobody', `failed to get domain 'nobody'`],
  ['vol-name /none', `Storage volume not found: no storage vol with matching path '/none'`],
  ['vol-info none', `Storage volume not found: no storage vol with matching path 'none'`],
  ['net-info none', `Network not found: no network with matching name 'none'`],
  ['pool-info none', `Storage pool not found: no storage pool with matching name 'none'`],
  ['snapshot-info off none', `Domain snapshot not found: no domain snapshot with matching name 'none'`],
  [
    'set-lifecycle-action off crash coredump-restart',
    `Operation not supported: the action 'coredump-restart' is not taken here when a guest ends by 'crash'`,
  ],
]

describe('virsh', () => {
  let world: World
  before(async () => {
    world = await serve({ hosts: HOSTS })
    for (const host of HOSTS) {
      const file = join(world.folder, `${host}.xml`)
      await writeFile(
        file,
        `<domain type='${TYPES[host]}'><name>off</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
          <os><type arch='x86_64'>hvm</type></os></domain>`,
      )
      await world.ok(host, 'define', file)
    }
    // A folder that goes is nothing to complain of, now or when it is looked at next.
    const gone = join(world.folder, 'gone')
    await world.each('qemu', [
      `pool-create-as gone dir --target ${gone} --build`,
      'vol-create-as gone one.qcow2 1M --format qcow2',
      'vol-delete one.qcow2 gone',
    ])
    await rm(gone, { recursive: true })
  })
  after(async () => {
    await world.close()
    assert.deepEqual(world.complaints, [])
  })

  /** What one virsh complains of while it runs these commands. */
  const complaints = async (host: HostName, commands: readonly string[]) =>
    (await world.virsh(host, [commands.join('; ')])).stderr

  for (const host of HOSTS) {
    it(`is told that a domain is off in the words of libvirt's drivers by ${host}`, async () => {
      const told = await complaints(host, OFF)
      const said = told.match(/^error: Requested operation is not valid: domain is not running$/gm)
      assert.equal(said?.length, OFF.length, told)
      for (const step of STEPS) {
        assert((await complaints(host, [`${step} off`])).includes(`\nerror: ${IS_OFF[host][step]}\n`), step)
      }
    })

    it(`is told that a domain is paused as by libvirt's drivers, and nothing changes, by ${host}`, async () => {
      await world.ok(host, 'start', 'off', '--paused')
      for (const [step, complaint] of Object.entries(IS_PAUSED[host])) {
        const told = await complaints(host, [`${step} off`])
        if (complaint === '') assert.equal(told.trim(), '', step)
        else assert(told.includes(`\nerror: ${complaint}\n`), `${step}: ${told}`)
        assert.equal((await world.ok(host, 'domstate', 'off')).trim(), 'paused', step)
      }
      await world.ok(host, 'destroy', 'off')
    })

    it(`is told of each of several starts, stops and resumptions at once how it went by ${host}`, async () => {
      const on =
        /^error: (.*: )?(Domain|domain|Domain 'off') is already (active|running)( or is in state transition)?$/m
      for (const [command, why] of [
        ['start', on],
        ['destroy', new RegExp(`^error: ${IS_OFF[host].destroy}$`, 'm')],
      ] as const) {
        const outcomes = await Promise.all([1, 2, 3].map(() => world.virsh(host, [command, 'off'])))
        const failed = outcomes.filter(({ code }) => code !== 0)
        assert.equal(failed.length, 2, command)
        for (const { stderr } of failed) assert.match(stderr, why)
        if (command !== 'start') continue
        assert.match(
          await complaints(host, ['resume off']),
          /domain is already running|[Dd]omain (is|'off') not paused/,
        )
        // It has no disk: nothing was read, and nothing written.
        const counted = (await world.ok(host, 'domblkstat', 'off', '')).trim().split(/\n */)
        assert.deepEqual(counted.slice(0, 4), ['rd_req 0', 'rd_bytes 0', 'wr_req 0', 'wr_bytes 0'])
        assert(counted.every(line => line.endsWith(' 0')))
      }
    })

    it(`is told what is missing in the words of libvirt's drivers by ${host}`, async () => {
      const told = await complaints(
        host,
        MISSING.map(([command]) => command),
      )
      for (const [, complaint] of MISSING) assert(told.includes(`error: ${complaint}\n`), told)
    })

    it(`keeps its connection when it passes descriptors, which are not taken by ${host}`, async () => {
      const { stdout, stderr } = await world.virsh(host, ['-q', 'dom-fd-associate off images 0; domstate off'])
      assert.equal(
        stderr.trim(),
        'error: this function is not supported by the connection driver: virDomainFDAssociate',
      )
      assert.equal(stdout.trim(), 'shut off')
    })

    it(`is told the names of functions that are for other drivers alone by ${host}`, async () => {
      const told = await complaints(
        host,
        OF_OTHER_DRIVERS.map(([command]) => command),
      )
      for (const [, name] of OF_OTHER_DRIVERS) {
        assert(told.includes(`error: this function is not supported by the connection driver: ${name}\n`), told)
      }
    })
  }
})
