import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { atEnd } from '../support/at-end.ts'
import { bothWorld, HOSTS, type HostTraits, domainXml, listed } from './both-worlds.ts'
import { RunningTool } from './running-tool.ts'
import { programNamed } from './tool.ts'

const MIB = 1_048_576

const { root, ok, no, virsh, uri, written, server, hostOf } = await bothWorld(HOSTS.map(({ name }) => name))

/** What `pool-info` says of a pool's state. */
async function info({ name: host }: HostTraits, pool: string): Promise<readonly string[]> {
  const text = await ok(host, 'pool-info', pool)
  return ['State', 'Persistent', 'Autostart'].map(field => new RegExp(`^${field}: +(.*)$`, 'm').exec(text)?.[1] ?? '')
}

/** A pool with a volume of four MiB. */
async function poolWith(traits: HostTraits, pool: string) {
  const { name: host, ending, format, separator } = traits
  const folder = traits.folder(server, pool)
  const volume = `disk.${ending}`
  await ok(host, 'pool-create-as', pool, 'dir', '--target', folder)
  await ok(host, 'vol-create-as', pool, volume, '4M', '--format', format)
  return { pool, volume, folder, path: `${folder}${separator}${volume}` }
}

/** Begins to write to a volume, and ends it in the middle; resolves when nothing is left of that. */
async function breakOff(
  host: HostTraits['name'],
  { volume, pool }: { readonly volume: string; readonly pool: string },
) {
  const pipe = join(server.data, `${host}.pipe`)
  execFileSync('mkfifo', [pipe])
  const upload = new RunningTool('virsh', ['-c', uri(host), 'vol-upload', volume, pipe, pool], server.data)
  const source = await open(pipe, 'w')
  const isBusy = async () => /being read or written/.test((await virsh(host, ['vol-delete', volume, pool])).stderr)
  await source.write(Buffer.alloc(1_000, 1))
  while ((await virsh(host, ['vol-download', volume, join(server.data, 'none'), pool])).code === 0) await pause(20)
  assert(await isBusy())
  await upload.end()
  await source.close()
  while ((await virsh(host, ['vol-download', volume, join(server.data, 'none'), pool])).code !== 0) await pause(20)
}

for (const traits of HOSTS) {
  const { name: host, ending, format } = traits
  const pools = async () => listed(await ok(host, 'pool-list', '--all', '--name')).map(name => name.trim())
  const volumes = async (pool: string) =>
    [...(await ok(host, 'vol-list', pool, '--details')).matchAll(/^ (\S+) .* file +(.*?) {3}/gm)].map(
      ([, name, capacity]) => `${name} ${capacity}`,
    )

  describe(`storage of a host of ${host}`, () => {
    test('a pool is defined, built, started, marked, stopped, deleted and undefined, as virsh and virt-manager do it', async () => {
      const pool = `life-${host}`
      const folder = traits.folder(server, pool)
      await ok(host, 'pool-define-as', pool, 'dir', '--target', folder)
      assert.deepEqual(await info(traits, pool), ['inactive', 'yes', 'no'])
      assert.match(await no(host, 'vol-list', pool), /storage pool '.*' is not active/)
      await ok(host, 'pool-build', pool)
      await ok(host, 'pool-start', pool)
      await ok(host, 'pool-autostart', pool)
      assert.deepEqual(await info(traits, pool), ['running', 'yes', 'yes'])
      assert.match(await no(host, 'pool-start', pool), /storage pool '.*' is already active/)
      assert.match(await no(host, 'pool-undefine', pool), /storage pool '.*' is still active/)
      const edited = await virsh(host, ['pool-edit', pool], { env: { EDITOR: 'touch' } })
      assert.deepEqual([edited.code, edited.stderr], [0, ''])
      await ok(host, 'pool-destroy', pool)
      assert.deepEqual(await info(traits, pool), ['inactive', 'yes', 'yes'])
      if (traits.isRemovable) await ok(host, 'pool-delete', pool)
      else
        assert.match(await no(host, 'pool-delete', pool), /not supported by the connection driver: virStoragePoolDel/)
      await ok(host, 'pool-undefine', pool)
      assert(!(await pools()).includes(pool))
    })

    test('what a host puts images into by itself is its pool default, and it tells what pools there can be', async () => {
      assert((await pools()).includes('default'))
      assert.match(await ok(host, 'pool-list', '--details'), /^ default +running +yes +yes /m)
      assert.match(await ok(host, 'pool-capabilities'), new RegExp(`<value>${format}</value>`))
      const sources = await no(host, 'find-storage-pool-sources', 'dir')
      assert.match(sources, /pool type 'dir' does not support source discovery/)
    })

    test('a volume is made, copied, grown, told of in every way, and deleted', async () => {
      const { pool, volume, path } = await poolWith(traits, `many-${host}`)
      const [copy, laidOut] = [`copy.${ending}`, `laid-out.${ending}`]
      await ok(host, 'vol-clone', volume, copy, '--pool', pool)
      await ok(host, 'vol-resize', copy, '8M', '--pool', pool)
      await ok(host, 'pool-refresh', pool)

      assert.deepEqual((await volumes(pool)).toSorted(), [`${copy} 8.00 MiB`, `${volume} 4.00 MiB`])
      assert.equal((await ok(host, 'vol-path', volume, pool)).trim(), path)
      assert.equal((await ok(host, 'vol-key', volume, pool)).trim(), path)
      assert.equal((await ok(host, 'vol-name', path)).trim(), volume)
      assert.equal((await ok(host, 'vol-pool', path)).trim(), pool)
      assert.match(await ok(host, 'vol-info', path), /Type: +file\nCapacity: +4\.00 MiB/)
      const described = await ok(host, 'vol-dumpxml', volume, pool)
      assert.match(described, new RegExp(`<format type=.${format}.`))
      const another = await written(described.replaceAll(volume, `from.${ending}`))
      await ok(host, 'vol-create-from', pool, another, volume, '--inputpool', pool)
      await ok(
        host,
        'vol-clone',
        volume,
        laidOut,
        '--pool',
        pool,
        ...(format === 'qcow2' ? ['--prealloc-metadata'] : []),
      )
      await ok(host, 'vol-delete', laidOut, pool)
      for (const name of [copy, `from.${ending}`, volume]) await ok(host, 'vol-delete', name, pool)
      assert.deepEqual(await volumes(pool), [])
      await ok(host, 'pool-destroy', pool)
      assert(!(await pools()).includes(pool))
    })

    if (traits.isTriedInPart) return
    test('the file of a volume goes up and comes down as it is, but not while a domain has it', async () => {
      const { pool, volume, path } = await poolWith(traits, `bytes-${host}`)
      const [file, back] = [join(server.data, `${host}.up`), join(server.data, `${host}.down`)]
      const bytes = Buffer.concat([randomBytes(100_000), Buffer.alloc(600_000), randomBytes(MIB - 700_000)])
      await writeFile(file, bytes)

      if (!traits.hasFiles) {
        const refused = /not supported by the connection driver: virStorageVol(Up|Down)load/
        assert.match(await no(host, 'vol-upload', volume, file, pool), refused)
        assert.match(await no(host, 'vol-download', volume, back, pool), refused)
        assert.match(
          await no(host, 'vol-wipe', volume, pool),
          /not supported by the connection driver: virStorageVolWipe/,
        )
        return
      }
      const raw = `raw.${host}.raw`
      await ok(host, 'vol-create-as', pool, raw, '1M', '--format', 'raw')
      for (const sparse of [[], ['--sparse']]) {
        await ok(host, 'vol-upload', raw, file, pool, ...sparse)
        await ok(host, 'vol-download', raw, back, pool, ...sparse)
        assert.deepEqual(await readFile(back), bytes)
      }
      await ok(host, 'vol-download', raw, back, pool, '--offset', '10', '--length', '99')
      assert.deepEqual(await readFile(back), bytes.subarray(10, 109))
      assert.match(await no(host, 'vol-wipe', raw, pool, '--algorithm', 'bsi'), /'bsi' algorithm not supported/)
      for (const each of [raw, volume]) await ok(host, 'vol-wipe', each, pool, '--algorithm', 'zero')
      await ok(host, 'vol-download', raw, back, pool)
      assert.deepEqual(await readFile(back), Buffer.alloc(MIB))

      await ok(host, 'vol-resize', raw, '2M', pool, '--allocate')
      assert.match(
        await ok(host, 'vol-info', raw, pool, '--bytes'),
        /Capacity: +2097152 bytes\nAllocation: +2097152 bytes/,
      )
      const shrunk = /can't shrink capacity below existing allocation/
      assert.match(await no(host, 'vol-resize', raw, '1M', pool, '--shrink'), shrunk)
      await ok(host, 'vol-create-as', pool, 'sparse.raw', '4M', '--format', 'raw')
      assert.match(await no(host, 'vol-resize', 'sparse.raw', '2M', pool), /unless shrink flag explicitly specified/)
      await ok(host, 'vol-resize', 'sparse.raw', '1M', pool, '--delta', '--shrink')
      const physical = host === 'qemu' ? 3 * MIB : 0
      assert.match(
        await ok(host, 'vol-info', 'sparse.raw', pool, '--bytes', '--physical'),
        new RegExp(`Capacity: +${3 * MIB} bytes\\nPhysical: +${physical} bytes`),
      )

      await breakOff(host, { volume: raw, pool })
      await ok(host, 'vol-delete', raw, pool)

      const domain = `user-${host}`
      await ok(host, 'define', await written(domainXml(traits, domain)))
      await ok(host, 'attach-disk', domain, path, traits.target, '--subdriver', format, '--config')
      await ok(host, 'start', domain)
      assert.match(await no(host, 'vol-upload', volume, file, pool), /running domain uses/)
      assert.match(await no(host, 'vol-delete', volume, pool), /running domain uses/)
      assert.match(await no(host, 'vol-wipe', volume, pool), /running domain uses/)
      await ok(host, 'destroy', domain)
      // What is kept of an image for a machine alone goes with the machine.
      await ok(host, 'vol-delete', volume, pool)
      const kept = await root.list('VDI.get_all')
      await ok(host, 'undefine', domain)
      assert.equal((await root.list('VDI.get_all')).length, kept.length - 1)
    })

    test('a listener is told what becomes of pools and their volumes, whichever API does it', async t => {
      const listener = new RunningTool('/usr/bin/python3', [programNamed('places.py'), uri(host)], server.data)
      atEnd(t, () => listener.end())
      const words = (name: string) =>
        [...listener.screen.text.matchAll(new RegExp(`^pool ${name} (\\w+)$`, 'gm'))].map(([, word]) => word)
      await listener.screen.shows('LISTENING')
      const { pool, volume } = await poolWith(traits, `heard-${host}`)
      await ok(host, 'vol-delete', volume, pool)
      await ok(host, 'pool-destroy', pool)
      const built = `built-${host}`
      await ok(host, 'pool-define-as', built, 'dir', '--target', traits.folder(server, built))
      for (const command of ['pool-build', 'pool-start', 'pool-refresh', 'pool-destroy', 'pool-undefine']) {
        await ok(host, command, built)
      }
      const theirs = `theirs-${host}`
      const location = traits.folder(server, theirs)
      const values = { name_label: theirs, type: host === 'memory' ? 'memory' : 'dir', location, host: hostOf(host) }
      const sr = await root.text('SR.create', values)
      const vdi = await root.text('VDI.create', { SR: sr, name_label: 'theirs', virtual_size: '2048' })
      await root.ok('VDI.delete', vdi)
      await root.ok('SR.delete', sr)
      await listener.screen.shows(`pool ${theirs} undefined`)

      assert.deepEqual(words(built), ['defined', 'created', 'started', 'refreshed', 'stopped', 'undefined'])
      const [first, ...rest] = words(pool)
      assert.deepEqual([first, rest.at(-1), new Set(rest)], ['started', 'stopped', new Set(['refreshed', 'stopped'])])
      const heard = words(theirs)
      assert.deepEqual(
        [heard.slice(0, 2), heard.slice(-2)],
        [
          ['defined', 'started'],
          ['stopped', 'undefined'],
        ],
      )
      assert(heard.includes('refreshed'))
    })
  })
}
