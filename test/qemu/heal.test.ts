import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { DiskConfig, DomainId, RepositoryConfig, StorageOps, Volume } from '../../src/drivers/driver.ts'
import { connectQmp } from '../../src/protocols/qmp/client.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576
const ID = '11111111-2222-3333-4444-555555555555'
const execute = promisify(execFile)

let world: World
let repository: RepositoryConfig
beforeEach(async () => {
  world = await World.open()
  repository = { type: 'dir', location: join(world.dataDir, 'sr') }
  await storage().openRepository(repository)
})
afterEach(() => world.close())

function storage(): StorageOps {
  assert(world.driver.storage !== undefined)
  return world.driver.storage
}

const place = (name: string) => join(repository.location, name)
const files = async () => (await readdir(repository.location)).toSorted()

/** An image with a text at its beginning. */
async function create(format: 'raw' | 'qcow2'): Promise<Volume> {
  const volume = await storage().createVolume(repository, { name: 'disk', format, virtualBytes: MIB })
  const source = join(world.dataDir, 'text')
  await writeFile(source, 'content'.padEnd(512, '.'))
  await execute('qemu-io', ['-f', format, '-c', `write -s ${source} 0 512`, volume.location])
  return volume
}

async function textOf({ location, format }: Volume): Promise<string> {
  const raw = join(world.dataDir, 'raw')
  await execute('qemu-img', ['convert', '-U', '-f', format, '-O', 'raw', location, raw])
  return (await readFile(raw)).toString('latin1', 0, 7)
}

const overlay = (format: string, name: string) =>
  execute('qemu-img', [
    'create',
    '-q',
    '-u',
    '-f',
    'qcow2',
    '-F',
    format,
    '-b',
    `.base-${ID}.${format}`,
    name,
    `${MIB}`,
  ])

const diskOf = ({ location, format }: Volume): DiskConfig => ({
  id: 'data',
  location,
  format,
  readOnly: false,
  device: 'hdb',
  bus: 'paravirtualised',
})

async function running(volume: Volume): Promise<DomainId> {
  const config = await world.config()
  await world.driver.domains.define({ ...config, disks: [...config.disks, diskOf(volume)] })
  await world.driver.domains.start(config.id)
  return config.id
}

/** The files of the repository as QEMU knows them, by which it may open them again. */
async function fileNodes(id: DomainId): Promise<string[]> {
  const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
  const nodes = await qmp.execute('query-named-block-nodes', { flat: true })
  qmp.close()
  const paths = nodes.filter(({ driver }) => driver === 'file').map(({ file }) => file)
  return paths.filter(path => path.startsWith(repository.location)).toSorted()
}

/** As a new server finds it. */
async function reopen(): Promise<void> {
  await world.reconnect()
  await storage().openRepository(repository)
}

for (const format of ['raw', 'qcow2'] as const) {
  test(`a clone of a ${format} image that was killed before the image changed leaves no trace`, async () => {
    const volume = await create(format)
    await overlay(format, place(`.1-1-${ID}.partial`))
    await link(volume.location, place(`.base-${ID}.${format}`))
    await reopen()

    assert.deepEqual(await files(), [`disk.${format}`])
    assert.equal(await textOf(volume), 'content')
  })

  test(`a clone of a running ${format} image that was killed before the guest knew leaves no trace`, {
    timeout: TEST_MS,
  }, async () => {
    const volume = await create(format)
    await running(volume)
    await link(volume.location, place(`.base-${ID}.${format}`))
    await overlay(format, place(`.live-${ID}.qcow2`))
    await reopen()

    assert.deepEqual(await files(), [`disk.${format}`])
    await assert.rejects(storage().deleteVolume(volume.location), { kind: 'bad-state' })
  })

  test(`a clone of a running ${format} image that was killed once the guest wrote to the overlay goes on`, {
    timeout: TEST_MS,
  }, async () => {
    const volume = await create(format)
    const id = await running(volume)
    await link(volume.location, place(`.base-${ID}.${format}`))
    await overlay(format, place(`.live-${ID}.qcow2`))
    await world.driver.close()
    const qmp = await connectQmp(world.files(id).rescue, { onEvent: () => undefined, onClose: () => undefined })
    const drives = await qmp.execute('query-block')
    const node = drives.find(({ file }) => file === volume.location)?.node ?? ''
    const snapshot = {
      'snapshot-file': place(`.live-${ID}.qcow2`),
      'snapshot-node-name': 'x.1',
      mode: 'existing',
    } as const
    await qmp.execute('blockdev-snapshot-sync', { 'node-name': node, format: 'qcow2', ...snapshot })
    qmp.close()
    await world.connect()
    await storage().openRepository(repository)

    const now = await storage().getVolume(place('disk.qcow2'))
    assert.deepEqual(await files(), [`.base-${ID}.${format}`, `.live-${ID}.qcow2`, 'disk.qcow2'])
    assert.equal(await textOf(now), 'content')
    assert.deepEqual((await world.driver.domains.config(id)).disks.at(-1), diskOf(now))
    await assert.rejects(storage().deleteVolume(now.location), { kind: 'bad-state' })
    assert.deepEqual(await fileNodes(id), [place(`.base-${ID}.${format}`), place(`.live-${ID}.qcow2`)])
    await world.driver.domains.powerOff(id)
    await storage().deleteVolume(now.location)
    assert.deepEqual(await files(), [])
  })

  test(`whenever a server is killed while it clones a running ${format} image, all images are whole`, {
    timeout: TEST_MS,
  }, async () => {
    const volume = await create(format)
    const id = await running(volume)
    let { location } = volume
    for (let round = 0; round < 8; round++) {
      await world.driver.close()
      const program = fileURLToPath(new URL('cloner.ts', import.meta.url))
      const cloner = spawn(process.execPath, [program, world.dataDir, location, `clone-${round}`])
      const gone = once(cloner, 'exit')
      await Promise.race([once(cloner.stdout, 'data'), gone])
      await sleep(round * 17)
      cloner.kill('SIGKILL')
      await gone
      await world.connect()
      await storage().openRepository(repository)
      location = place((await files()).find(name => name.startsWith('disk.')) ?? '')
      assert.equal((await files()).filter(name => name.endsWith('.partial')).length, 0)
      assert.equal(await world.state(id), 'running')
      for (const each of await storage().listVolumes(repository)) assert.equal(await textOf(each), 'content')
    }
    assert((await storage().listVolumes(repository)).length > 8)
    await world.driver.domains.powerOff(id)
    for (const each of await storage().listVolumes(repository)) {
      await execute('qemu-img', ['check', '-q', '-f', each.format, each.location]).catch(error => {
        if (each.format !== 'raw') throw error
      })
      await storage().deleteVolume(each.location)
    }
    assert.deepEqual(await files(), [])
  })
}

test('a raw image whose overlay got its name before the end goes back, unless a definition names the overlay', async () => {
  for (const isNamed of [false, true]) {
    const volume = await create('raw')
    await link(volume.location, place(`.base-${ID}.raw`))
    await overlay('raw', place('disk.qcow2'))
    const moved = await storage().getVolume(place('disk.qcow2'))
    const id = await world.define({ disks: [diskOf(isNamed ? moved : volume)] })
    await reopen()

    const kept = isNamed ? moved : volume
    assert.deepEqual(await files(), isNamed ? [`.base-${ID}.raw`, 'disk.qcow2'] : ['disk.raw'])
    assert.equal(await textOf(kept), 'content')
    assert.deepEqual((await world.driver.domains.config(id)).disks, [diskOf(kept)])
    await world.driver.domains.undefine(id)
    await storage().deleteVolume(kept.location)
  }
})

test('bases that no image needs are removed, others are not', async () => {
  await create('raw')
  await writeFile(place(`.base-${ID}.raw`), 'x')
  await writeFile(place('.base-of-mine.raw'), 'x')
  await reopen()

  assert.deepEqual(await files(), ['.base-of-mine.raw', 'disk.raw'])
  await rm(place('.base-of-mine.raw'))
})
