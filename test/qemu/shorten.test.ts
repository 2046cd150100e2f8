import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { CloneOps, RepositoryConfig, StorageOps, Volume } from '../../src/drivers/driver.ts'
import { TEST_MS, World } from './world.ts'

const MIB = 1_048_576
const SECTOR = 512
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

function clones(): CloneOps {
  assert(world.driver.clones !== undefined)
  return world.driver.clones
}

const files = async () => (await readdir(repository.location)).toSorted()
const bases = async () => (await files()).filter(name => name.startsWith('.base-'))

async function write({ location, format }: Volume, sector: number, text: string): Promise<void> {
  const source = join(world.dataDir, 'text')
  await writeFile(source, text.padEnd(SECTOR, '.'))
  await execute('qemu-io', ['-f', format, '-c', `write -s ${source} ${sector * SECTOR} ${SECTOR}`, location])
}

/** What the first sectors of an image say. */
async function texts({ location, format }: Volume, count: number): Promise<string[]> {
  const raw = join(world.dataDir, 'raw')
  await execute('qemu-img', ['convert', '-U', '-f', format, '-O', 'raw', location, raw])
  const content = (await readFile(raw)).toString('latin1')
  return Array.from({ length: count }, (_none, at) =>
    content.slice(at * SECTOR, (at + 1) * SECTOR).replace(/[.\0]+$/, ''),
  )
}

const upTo = (last: number, count: number) => Array.from({ length: count }, (_none, at) => (at <= last ? `${at}` : ''))

/** Snapshots of an image that is written to before each. Gives the image, and the snapshots. */
async function snapshots(count: number): Promise<{ image: Volume; made: Volume[] }> {
  let image = await storage().createVolume(repository, { name: 'disk', format: 'qcow2', virtualBytes: MIB })
  const made: Volume[] = []
  for (let n = 0; n < count; n++) {
    await write(image, n, `${n}`)
    const { original, clone } = await clones().cloneVolume(image.location, { name: `snapshot-${n}` })
    image = original
    made.push(clone)
  }
  return { image, made }
}

// Proves: VDI.snapshot
test('of a hundred snapshots each is what it was, and the older ones take their bases along', {
  timeout: TEST_MS,
}, async () => {
  const { image, made } = await snapshots(100)
  assert((await bases()).length <= 100)
  for (const [n, each] of [...made.entries()].filter(([at]) => at % 9 === 0)) {
    assert.deepEqual(await texts(each, 100), upTo(n, 100))
  }
  const last = made.at(-1)
  assert(last !== undefined)
  for (const each of made.slice(0, -1)) await storage().deleteVolume(each.location)
  await world.until('one base is left', async () => (await bases()).length === 1)

  assert.deepEqual(await texts(image, 100), upTo(99, 100))
  assert.deepEqual(await texts(last, 100), upTo(99, 100))
  await storage().deleteVolume(last.location)
  await world.until('no base is left', async () => (await files()).length === 1)
  assert.deepEqual(await texts(image, 100), upTo(99, 100))
  await execute('qemu-img', ['check', '-q', image.location])
})

test('what a domain runs with keeps its bases until it is off', { timeout: TEST_MS }, async () => {
  const { image, made } = await snapshots(3)
  const config = await world.config()
  const disk = {
    id: 'd',
    location: image.location,
    format: image.format,
    readOnly: false,
    device: 'hdb',
    bus: 'paravirtualised',
  } as const
  await world.driver.domains.define({ ...config, disks: [...config.disks, disk] })
  await world.driver.domains.start(config.id)
  for (const each of made) await storage().deleteVolume(each.location)
  await sleep(3_000)
  assert.equal((await bases()).length, 3)

  await world.driver.domains.powerOff(config.id)
  await storage().openRepository(repository)
  await world.until('no base is left', async () => (await files()).length === 1)
  await world.driver.domains.start(config.id)
  await world.driver.domains.powerOff(config.id)
  assert.deepEqual(await texts(image, 3), upTo(2, 3))
})

test('an image as deep as may be that a domain runs with is not cloned again until it is off', {
  timeout: TEST_MS,
}, async () => {
  const { image } = await snapshots(31)
  await write(image, 31, '31')
  const config = await world.config()
  const disk = {
    id: 'd',
    location: image.location,
    format: image.format,
    readOnly: false,
    device: 'hdb',
    bus: 'paravirtualised',
  } as const
  await world.driver.domains.define({ ...config, disks: [...config.disks, disk] })
  await world.driver.domains.start(config.id)
  await assert.rejects(clones().cloneVolume(image.location, { name: 'more' }), {
    kind: 'refused',
    message: /no domain uses it/,
  })

  await world.driver.domains.powerOff(config.id)
  const { original, clone } = await clones().cloneVolume(image.location, { name: 'more' })
  for (const each of [original, clone]) assert.deepEqual(await texts(each, 32), upTo(31, 32))
})

test('whenever a server is killed while it merges, all images are whole', { timeout: TEST_MS }, async () => {
  const { image, made } = await snapshots(12)
  const kept = made.filter((_each, at) => at === 5 || at === 11)
  for (const each of made.filter(one => !kept.includes(one))) await storage().deleteVolume(each.location)
  await world.driver.close()
  for (let round = 0; round < 8; round++) {
    const program = fileURLToPath(new URL('merger.ts', import.meta.url))
    const merger = spawn(process.execPath, [program, world.dataDir, repository.location])
    const gone = once(merger, 'exit')
    await Promise.race([once(merger.stdout, 'data'), gone])
    await sleep(950 + round * 25)
    merger.kill('SIGKILL')
    await gone
    for (const [each, last] of [
      [image, 11],
      [kept[0], 5],
      [kept[1], 11],
    ] as const) {
      assert(each !== undefined)
      assert.deepEqual(await texts(each, 12), upTo(last, 12))
    }
  }
  await world.connect()
  await storage().openRepository(repository)
  await world.until('two bases are left', async () => (await bases()).length === 2)
  assert.equal((await files()).filter(name => name.endsWith('.partial')).length, 0)
  assert.deepEqual(await texts(image, 12), upTo(11, 12))
})
