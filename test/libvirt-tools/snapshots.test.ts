import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { RunningTool } from './running-tool.ts'
import { programNamed } from './tool.ts'
import { type HostName, serve, type World } from './world.ts'

const HOSTS = ['memory', 'qemu', 'v1', 'v2'] as const satisfies readonly HostName[]
const TYPES = { memory: 'test', qemu: 'qemu', v1: 'hyperv', v2: 'hyperv' } as const
/** What a test may take in all, on a machine that is busy with others. */
const TEST_MS = 120_000

/** Events and details of what a snapshot does to a domain: it stops, it starts, it is paused. */
const FROM_SNAPSHOT: readonly string[] = ['5 6', '2 3', '3 5']
const DESTROYED = '5 1'

let world: World
const tools: RunningTool[] = []
before(async () => (world = await serve({ hosts: HOSTS })))
after(async () => {
  for (const tool of tools) await tool.end()
  await world.close()
})

const written = async (xml: string): Promise<string> => {
  const path = join(world.folder, `${crypto.randomUUID()}.xml`)
  await writeFile(path, xml)
  return path
}

/** The first words of the lines of a table, without its head. */
const rows = (table: string): string[] =>
  table
    .split('\n')
    .slice(2)
    .flatMap(line => /^ (\S+)/.exec(line)?.slice(1) ?? [])

for (const host of HOSTS) {
  const ok = (...args: readonly string[]) => world.ok(host, ...args)
  const no = (...args: readonly string[]) => world.no(host, ...args)

  test(`virsh keeps what a domain on ${host} is, shows it, and goes back to it`, { timeout: TEST_MS }, async () => {
    const xml = `<domain type='${TYPES[host]}'><name>web</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
      <os><type arch='x86_64'>hvm</type></os></domain>`
    await ok('define', await written(xml))
    const events = new RunningTool('/usr/bin/python3', [programNamed('events.py'), world.uri(host)], world.folder)
    tools.push(events)
    await events.screen.shows('LISTENING')
    await ok('snapshot-create-as', 'web', 'base', 'before it ran')
    await ok('start', 'web')
    await ok('snapshot-create', 'web', await written('<domainsnapshot><name>running</name></domainsnapshot>'))
    await ok('snapshot-revert', 'web', 'base')
    assert.equal((await ok('domstate', 'web')).trim(), 'shut off')
    await ok('snapshot-create-as', 'web', 'side')
    await ok('snapshot-revert', 'web', 'running')
    assert.equal((await ok('domstate', 'web')).trim(), 'running')

    await showsThem(host)
    await ok('snapshot-revert', 'web', 'running', '--paused')
    assert.equal((await ok('domstate', 'web')).trim(), 'paused')
    await ok('snapshot-create-as', 'web', 'still')
    assert.match(await ok('snapshot-info', 'web', 'still'), /State: +paused/)
    assert.match(await ok('snapshot-dumpxml', 'web', 'still'), /<state>paused<\/state>/)
    await ok('destroy', 'web')
    await ok('snapshot-revert', 'web', 'still')
    assert.equal((await ok('domstate', 'web', '--reason')).trim(), 'paused (from snapshot)')
    await ok('snapshot-revert', 'web', 'still', '--running')
    assert.equal((await ok('domstate', 'web', '--reason')).trim(), 'running (from snapshot)')
    await ok('snapshot-delete', 'web', 'still')
    if (host === 'memory') {
      await selects() // As everywhere, for it is no host's business.
      await refuses()
    }
    await ok('snapshot-delete', 'web', 'base', '--children-only')
    assert.deepEqual(rows(await ok('snapshot-list', 'web')), ['base'])
    await ok('snapshot-delete', 'web', 'base')
    assert.deepEqual(rows(await ok('snapshot-list', 'web')), [])
    assert.match(await no('snapshot-current', 'web'), /has no current snapshot/)

    await ok('destroy', 'web')
    await events.screen.shows(`LIFECYCLE web ${DESTROYED}`)
    const told = [...events.screen.text.matchAll(/^LIFECYCLE web (.+)$/gm)].map(([, detail = '']) => detail)
    assert.deepEqual(
      told.filter(detail => FROM_SNAPSHOT.includes(detail)),
      ['5 6', '2 3', '5 6', '2 3', '3 5', '2 3', '3 5', '5 6', '2 3'],
    )
  })
}

/** The snapshots `base` ← `running`, which is the current one, and `side`. */
async function showsThem(host: HostName): Promise<void> {
  const ok = (...args: readonly string[]) => world.ok(host, ...args)

  assert.deepEqual(rows(await ok('snapshot-list', 'web')).toSorted(), ['base', 'running', 'side'])
  assert.match(await ok('snapshot-list', 'web', '--tree'), /^base\n {2}\|\n {2}\+- (running|side)\n/)
  const info = await ok('snapshot-info', 'web', 'running')
  assert.match(info, /Name: +running\nDomain: +web\nCurrent: +yes\nState: +running\n.*Parent: +base\nChildren: +0\n/s)
  const described = await ok('snapshot-dumpxml', 'web', 'base')
  assert.match(described, /<description>before it ran<\/description>\s*<state>shutoff<\/state>/)

  const { code, stdout, stderr } = await world.python(host, 'snapshots.py', ['web'])
  const [current, count, roots, ...lines] = stdout.trimEnd().split('\n')
  assert.deepEqual([code, current, roots], [0, '1 running', '1'], stderr)
  assert.match(count ?? '', /^3 \['base', /)
  const metadata = host === 'memory' || host === 'qemu' ? 1 : 0 // What Hyper-V keeps, it keeps itself.
  assert(lines.includes(`running web 1 ${metadata} 0 [] []`), stdout)
  assert.match(stdout, /^74 .*VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE cannot be honoured by virDomainSnapshotCreateXML/m)
  assert.match(stdout, /^72 Domain snapshot not found: no domain snapshot with matching name 'nobody'$/m)
}

/** Those that are asked for, and no others. */
async function selects(): Promise<void> {
  const ok = (...args: readonly string[]) => world.ok('memory', ...args)
  const selections: readonly (readonly [flags: readonly string[], names: readonly string[]])[] = [
    [['--roots'], ['base']],
    [['--leaves'], ['running', 'side']],
    [['--no-leaves'], ['base']],
    [['--active'], ['running']],
    [['--inactive'], ['base', 'side']],
    [['--metadata'], ['base', 'running', 'side']],
    [['--no-metadata'], []],
    [
      ['--from', 'base'],
      ['running', 'side'],
    ],
  ]
  for (const [flags, names] of selections) {
    assert.deepEqual(rows(await ok('snapshot-list', 'web', ...flags)).toSorted(), names, flags.join(' '))
  }
  assert.match(await ok('snapshot-list', 'web', '--parent'), /running +\d{4}-\d\d-\d\d .+ running +base\n/)
  assert.equal((await ok('snapshot-current', 'web', '--name')).trim(), 'running')
  assert.equal((await ok('snapshot-parent', 'web', 'side')).trim(), 'base')
}

/** What is refused is refused by its name, and changes nothing. */
async function refuses(): Promise<void> {
  const no = (...args: readonly string[]) => world.no('memory', ...args)
  assert.match(await no('snapshot-create-as', 'web', 'x', '--disk-only'), /VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY cannot/)
  assert.match(await no('snapshot-create-as', 'web', 'x', '--memspec', 'file=/x'), /memory\/@(file|snapshot)/)
  assert.match(await no('snapshot-create-as', 'web', 'base'), /domain snapshot base already exists/)
  assert.match(await no('snapshot-revert', 'web', 'base', '--reset-nvram'), /VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM/)
  assert.match(await no('snapshot-delete', 'web', 'base', '--metadata'), /VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY/)
  assert.match(await no('snapshot-revert', 'web', 'nobody'), /Domain snapshot not found/)
  assert.match(await no('snapshot-parent', 'web', 'base'), /has no parent/)
}
