import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { cp, mkdir, open, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { assert as check, nat, oneof, property, record, uint8Array } from 'fast-check'
import type { DomainId, SavedFileOps } from '../../src/drivers/driver.ts'
import { decode, encode, MEMORY_START, openSaved, SLOT_BYTES } from '../../src/drivers/qemu/saved-file.ts'
import { count, TEST_MS, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

const DURING = { timeout: TEST_MS }
const MIB = 1_048_576

const files = (): SavedFileOps => {
  const found = world.driver.suspension?.files
  assert(found !== undefined)
  return found
}

/** A place in a folder in which nothing else is. */
async function place(): Promise<string> {
  const folder = join(world.dataDir, 'places')
  await mkdir(folder, { recursive: true })
  return join(folder, 'saved')
}

const namesBeside = (location: string) => readdirSync(join(location, '..')).toSorted()

async function saved(): Promise<{ readonly id: DomainId; readonly location: string; readonly before: string }> {
  const [id, location] = [await world.booted(), await place()]
  await files().save(id, location)
  return { id, location, before: await world.serial(id) }
}

const lastTick = (text: string): number => Number(/TICK (\d+)\n(?!.*TICK \d+\n)/s.exec(text)?.[1])

/** Demands that the guest counts on from where it was, and has not booted again. */
async function assertGoesOn(id: DomainId, before: string): Promise<void> {
  const rest = async () => (await world.serial(id)).slice(before.length)
  await world.until('it counts on', async () => /TICK \d+\n/.test(await rest()))
  assert.equal(count(await world.serial(id), 'BOOT-OK'), count(before, 'BOOT-OK'))
  assert.equal(Number(/TICK (\d+)\n/.exec(await rest())?.[1]), lastTick(before) + 1)
}

test('a counter in memory goes on from a file, which is for its owner alone, and stays', DURING, async () => {
  const { id, location, before } = await saved()
  assert.equal(await world.state(id), 'halted')
  assert.deepEqual(world.processes(), [])
  assert.deepEqual(namesBeside(location), ['saved'])
  assert.equal(statSync(location).mode & 0o777, 0o600)
  assert(!existsSync(world.files(id).suspension))
  await world.reconnect()
  await files().restore(location)

  assert.equal(await world.state(id), 'running')
  await assertGoesOn(id, before)
  assert(!existsSync(world.files(id).suspension))
  assert.deepEqual(namesBeside(location), ['saved'])
  assert.deepEqual(world.warnings, [])
})

test('a guest finds its disk in another place, where the file is made to say so', DURING, async () => {
  const { id, location, before } = await saved()
  const { config } = await files().read(location)
  const [disk] = config.disks
  assert(disk !== undefined)
  const moved = { ...disk, location: `${disk.location}.moved` }
  await cp(disk.location, moved.location)
  await rm(disk.location)
  await assert.rejects(files().restore(location), { kind: 'refused' })
  assert.equal(await world.state(id), 'halted')
  await files().change(location, { config: { ...config, disks: [moved] } })
  await files().restore(location)

  await assertGoesOn(id, before)
  assert.deepEqual((await world.driver.domains.config(id)).disks, [disk])
})

for (const [what, occupy] of Object.entries({
  'a folder': (location: string) => mkdir(location),
  'a link': (location: string) => symlink('/dev/null', location),
})) {
  test(`a domain is not saved over ${what}, and goes on`, DURING, async () => {
    const [id, location] = [await world.booted(), await place()]
    await occupy(location)

    await assert.rejects(files().save(id, location), { kind: 'refused', message: /is no file/ })
    assert.equal(await world.state(id), 'running')
    assert.deepEqual(namesBeside(location), ['saved'])
  })
}

test('a domain is not saved over an image of a domain, nor where no file can be made', DURING, async () => {
  const id = await world.booted()
  const [disk] = (await world.driver.domains.config(id)).disks
  assert(disk !== undefined)

  await assert.rejects(files().save(id, disk.location), { kind: 'refused', message: /is an image of/ })
  await assert.rejects(files().save(id, '/nowhere/at/all'), {
    kind: 'refused',
    message: /there is no folder \/nowhere\/at/,
  })
  assert.equal(await world.state(id), 'running')
  assert(!existsSync(world.files(id).suspension))
  await assertGoesOn(id, await world.serial(id))
})

test('saving that is aborted half-way leaves the guest running, and the file that was there', DURING, async () => {
  const [id, location] = [await world.booted({ memoryBytes: 1024 * MIB }), await place()]
  await writeFile(location, 'what was there')
  const before = await world.serial(id)
  const aborting = new AbortController()
  const onProgress = () => aborting.abort()

  await assert.rejects(files().save(id, location, { signal: aborting.signal, onProgress }), { name: 'DriverError' })
  assert.equal(await world.state(id), 'running')
  assert.equal(await readFile(location, 'utf8'), 'what was there')
  assert.deepEqual(namesBeside(location), ['saved'])
  await world.until('it counts on', async () => (await world.serial(id)).length > before.length)
})

/** Makes it look as if a manager had gone away at this point. */
async function goAway(id: DomainId, suspension: object, partial?: string): Promise<void> {
  await world.driver.close()
  await writeFile(world.files(id).suspension, JSON.stringify({ format: 1, ...suspension }))
  if (partial !== undefined) await writeFile(partial, 'memory')
  await world.connect()
}

test('who comes after a manager that went away finishes or undoes what that was about', DURING, async () => {
  const location = await place()
  const partial = `${location}.half.partial`
  const [saving, given, restoring] = [await world.running(), await world.running(), await world.running()]
  await world.driver.domains.pause(saving)
  await goAway(saving, { phase: 'saving', wasRunning: true, partial }, partial)
  assert.equal(await world.state(saving), 'running')
  assert.deepEqual(namesBeside(location), [])
  await goAway(given, { phase: 'given', partial, location }, partial)
  assert.equal(await world.state(given), 'halted')
  assert.equal(await readFile(location, 'utf8'), 'memory')
  await goAway(restoring, { phase: 'restoring' })

  assert.equal(await world.state(restoring), 'halted')
  assert.equal(world.process().arguments.includes(world.files(saving).pid), true)
  for (const id of [saving, given, restoring]) assert(!existsSync(world.files(id).suspension))
  assert.deepEqual(namesBeside(location), ['saved'])
})

test('a file that is not what was written is not restored, and leaves the domain halted', DURING, async () => {
  const { id, location, before } = await saved()
  const whole = await readFile(location)
  const damaged: Readonly<Record<string, Buffer>> = {
    'cut short': whole.subarray(0, whole.length - 1),
    'only its head': whole.subarray(0, MEMORY_START),
    empty: Buffer.alloc(0),
    'other memory': flipped(whole, Math.floor((MEMORY_START + whole.length) / 2)),
    'another definition': flipped(whole, whole.indexOf('guest-obedient')),
  }
  for (const [what, bytes] of Object.entries(damaged)) {
    await writeFile(location, bytes)
    await assert.rejects(files().restore(location), { name: 'DriverError', kind: 'refused' }, what)
    assert.equal(await world.state(id), 'halted')
    assert.deepEqual(world.processes(), [])
  }
  await writeFile(location, whole)
  await files().restore(location)
  await assertGoesOn(id, before)
})

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

test('a change of what a file says is done or not done, wherever it breaks off', DURING, async () => {
  const { location } = await saved()
  const before = await readFile(location)
  const { config } = await files().read(location)
  await files().change(location, { paused: true, config: { ...config, description: 'a longer one than before' } })
  const after = await readFile(location)
  const slot = before.subarray(0, SLOT_BYTES).equals(after.subarray(0, SLOT_BYTES)) ? SLOT_BYTES : 0
  const length = after.indexOf(0, slot + SLOT_BYTES - 1) - slot
  for (const written of [1, 8, 20, 40, 200, 600]) {
    assert(written < length)
    const torn = Buffer.from(before)
    after.copy(torn, slot, slot, slot + written)
    await writeFile(location, torn)
    assert.deepEqual(await files().read(location), { config, paused: false })
  }
  await writeFile(location, after)
  assert.equal((await files().read(location)).paused, true)
  assert(after.subarray(MEMORY_START).equals(before.subarray(MEMORY_START)))
})

test('a slot is read as it was written or not at all', async () => {
  const { config } = { config: await world.config() }
  const definition = { config, machine: 'pc-i440fx-7.2', slots: {} }
  const saving = { definition, paused: true, memory: { bytes: 7, crc32: 0xffff_ffff }, number: 3 }
  const whole = encode(saving)
  assert.equal(decode(whole)?.definition.config.id, config.id)
  const told = { ...decode(whole), definition: config.id }
  assert.deepEqual(told, { ...saving, definition: config.id })
  const damage = record({ at: nat(whole.length - 1), by: nat(254) })

  check(
    property(oneof(damage, uint8Array({ maxLength: 200 })), input => {
      if (input instanceof Uint8Array) return assert.equal(decode(Buffer.from(input)), undefined)
      const changed = Buffer.from(whole)
      changed[input.at] = (changed[input.at] ?? 0) ^ (input.by + 1)
      assert.equal(decode(changed), undefined)
    }),
    { numRuns: 300 },
  )
})

test('a file that names another program for its machine, or paths that are none, is not taken', async () => {
  const config = await world.config()
  const memory = { bytes: 0, crc32: 0 }
  const one = (changes: object) => ({ config: { ...config, ...changes }, machine: 'pc', slots: {} })
  const bad = [{ ...one({}), machine: 'pc,dump-guest-core=on' }, one({ id: 'x' }), one({ vcpus: 0 })]
  for (const definition of bad)
    assert.equal(decode(encode({ definition, paused: false, memory, number: 1 })), undefined)

  const location = await place()
  await writeFile(location, encode({ definition: one({}), paused: false, memory, number: 1 }))
  await assert.rejects(openSaved(location, 'r'), { kind: 'refused', message: /bytes and not/ })
  const file = await open(location, 'r+')
  await file.truncate(MEMORY_START)
  await file.close()
  const opened = await openSaved(location, 'r')
  await opened.file.close()
  assert.equal(opened.saving.definition.config.id, config.id)
})
