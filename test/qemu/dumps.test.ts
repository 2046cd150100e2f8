import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { open, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import type { DomainId, Dump, DumpOps } from '../../src/drivers/driver.ts'
import { DUMPS_MAX } from '../../src/drivers/qemu/dump-files.ts'
import { dumpFolderOf } from '../../src/drivers/qemu/layout.ts'
import { TEST_MS, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

const dumps = (): DumpOps => {
  assert(world.driver.dumps !== undefined)
  return world.driver.dumps
}
const folderOf = (id: DomainId) => dumpFolderOf(world.files(id))

/** Source: elf(5), e_ident and e_type. */
async function assertCore({ location, bytes }: Dump): Promise<void> {
  const file = await open(location)
  try {
    const { buffer } = await file.read(Buffer.alloc(64), 0, 64, 0)
    assert.equal(buffer.toString('latin1', 0, 4), '\u007fELF')
    assert.equal(buffer.readUInt16LE(16), 4)
  } finally {
    await file.close()
  }
  assert.equal(statSync(location).size, bytes)
  assert.equal(statSync(location).mode & 0o777, 0o600)
}

async function crashed(): Promise<DomainId> {
  const id = await world.booted({ exits: { shutdown: 'halt', reboot: 'halt', suspend: 'halt', crash: 'hold' } })
  await world.send(id, 'c')
  await world.untilState(id, 'crashed')
  return id
}

test('the memory of a crashed guest becomes an ELF core for its owner alone', { timeout: TEST_MS }, async () => {
  const id = await crashed()
  const shares: number[] = []
  const dump = await dumps().dump(id, { onProgress: share => shares.push(share) })

  await assertCore(dump)
  assert(dump.bytes > 16 * 1_048_576)
  assert.equal(shares.at(-1), 1)
  assert.deepEqual(await dumps().list(id), [dump])
  assert.equal(await world.state(id), 'crashed')
})

test('only the newest dumps are kept, and none when the domain is forgotten', { timeout: TEST_MS }, async () => {
  const id = await world.booted()
  await world.driver.domains.pause(id)
  const made: Dump[] = []
  for (let number = 0; number < DUMPS_MAX + 2; number++) made.push(await dumps().dump(id))

  assert.deepEqual(await dumps().list(id), made.slice(-DUMPS_MAX))
  assert.equal(readdirSync(folderOf(id)).length, DUMPS_MAX)
  await world.driver.domains.powerOff(id)
  await world.driver.domains.undefine(id)
  assert(!existsSync(world.files(id).folder))
})

test('a dump that fails leaves no file, and the next one clears away what a killed manager left', {
  timeout: TEST_MS,
}, async () => {
  const id = await world.booted()
  await world.driver.domains.pause(id)
  await writeFile(folderOf(id), 'not a folder')
  await assert.rejects(dumps().dump(id), { name: 'DriverError', kind: 'refused' })
  assert.equal(await world.state(id), 'paused')
  await rm(folderOf(id))

  const aborting = new AbortController()
  const aborted = dumps().dump(id, { signal: aborting.signal, onProgress: () => aborting.abort() })
  await assert.rejects(aborted, { name: 'DriverError' })
  assert.deepEqual(readdirSync(folderOf(id)), [])

  await writeFile(join(folderOf(id), 'x.core.partial'), 'half')
  await assertCore(await dumps().dump(id))
  assert.equal(readdirSync(folderOf(id)).length, 1)
})
