import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, test } from 'node:test'
import type { DomainId, SuspensionOps } from '../../src/drivers/driver.ts'
import { detectAccelerator } from '../../src/drivers/qemu/accelerator.ts'
import { filesOf, rootOf } from '../../src/drivers/qemu/layout.ts'
import { count, TEST_MS, World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.open()
})
afterEach(() => world.close())

const MIB = 1_048_576
const DURING = { timeout: TEST_MS }

const suspension = (): SuspensionOps => {
  assert(world.driver.suspension !== undefined)
  return world.driver.suspension
}

/** What a suspension leaves on the disk, by what it is for. */
const remains = (id: DomainId): string[] => {
  const { memory, memoryPartial, memorySocket, suspension: known } = filesOf(rootOf(world.dataDir), id)
  return [memory, memoryPartial, memorySocket, known].filter(existsSync)
}

const lastTick = (text: string): number => Number(/TICK (\d+)\n(?!.*TICK \d+\n)/s.exec(text)?.[1])

/** Demands that the guest counts on from where it was, and has not booted again. */
async function assertGoesOn(id: DomainId, before: string): Promise<void> {
  await world.until('it counts on', async () => /TICK \d+\n/.test((await world.serial(id)).slice(before.length)))
  const text = await world.serial(id)
  assert(text.startsWith(before))
  assert.equal(count(text, 'BOOT-OK'), 1)
  assert.equal(Number(/TICK (\d+)\n/.exec(text.slice(before.length))?.[1]), lastTick(before) + 1)
}

async function suspended(): Promise<DomainId> {
  const id = await world.booted()
  await suspension().suspend(id)
  return id
}

// Proves: VM.suspend, VM.resume
for (const live of [false, true]) {
  for (const paused of [false, true]) {
    test(
      `a counter in memory goes on after suspend${live ? ' live' : ''}, a new manager, and resume${paused ? ' paused' : ''}`,
      DURING,
      async () => {
        const id = await world.booted()
        await suspension().suspend(id, { live })
        const before = await world.serial(id)
        assert.equal(await world.state(id), 'suspended')
        assert.deepEqual(world.processes(), [])
        assert.equal(statSync(world.files(id).memory).mode & 0o777, 0o600)
        await world.reconnect()
        assert.equal(await world.state(id), 'suspended')
        await suspension().resume(id, { paused })

        assert.equal(await world.state(id), paused ? 'paused' : 'running')
        if (paused) await world.driver.domains.unpause(id)
        await assertGoesOn(id, before)
        assert.equal(world.processes().length, 1)
        assert.deepEqual(remains(id), [])
        assert.deepEqual(world.warnings, [])
      },
    )
  }
}

// QEMU loses some of what a guest writes while its memory is being written, where it translates its code.
if (detectAccelerator() === 'tcg') {
  test(
    'a translated guest stands still while its memory is written, also where it is suspended live',
    DURING,
    async () => {
      const id = await world.booted({ memoryBytes: 1024 * MIB })
      const states: Promise<string>[] = []

      await suspension().suspend(id, { live: true, onProgress: () => states.push(world.state(id)) })

      const seen = new Set(await Promise.all(states))
      assert(seen.has('paused'))
      assert(!seen.has('running'))
    },
  )
}

test('a suspension that cannot be written leaves the guest running, and no file', DURING, async () => {
  const id = await world.booted()
  const { memorySocket } = world.files(id)
  await mkdir(memorySocket)

  await assert.rejects(suspension().suspend(id), { name: 'DriverError', kind: 'refused' })
  assert.equal(await world.state(id), 'running')
  await rm(memorySocket, { recursive: true })
  assert.deepEqual(remains(id), [])
  await assertGoesOn(id, await world.serial(id))
  await suspension().suspend(id)
  assert.equal(await world.state(id), 'suspended')
})

for (const live of [false, true]) {
  for (const state of ['running', 'paused'] as const) {
    test(
      `a suspension${live ? ' live' : ''} that is aborted half-way leaves the guest ${state}, and no file`,
      DURING,
      async () => {
        const id = await world.booted({ memoryBytes: 1024 * MIB })
        if (state === 'paused') await world.driver.domains.pause(id)
        const before = await world.serial(id)
        const aborting = new AbortController()

        await assert.rejects(
          suspension().suspend(id, { live, signal: aborting.signal, onProgress: () => aborting.abort() }),
          { name: 'DriverError' },
        )
        assert.equal(await world.state(id), state)
        assert.deepEqual(remains(id), [])
        if (state === 'paused') await world.driver.domains.unpause(id)
        await world.until('it counts on', async () => (await world.serial(id)).length > before.length)
        await suspension().suspend(id)
        await suspension().resume(id)
        assert.equal(count(await world.serial(id), 'BOOT-OK'), 1)
      },
    )
  }
}

test(
  'a paused guest all of which is written is suspended, for it could not be saved again otherwise',
  DURING,
  async () => {
    const id = await world.booted()
    await world.driver.domains.pause(id)
    const before = await world.serial(id)
    const aborting = new AbortController()
    // The last time that it is told how far it is, QEMU has sent all.
    const onProgress = (share: number) => share === 1 && aborting.abort()

    await suspension().suspend(id, { signal: aborting.signal, onProgress })

    assert.equal(aborting.signal.aborted, true)
    assert.equal(await world.state(id), 'suspended')
    await suspension().resume(id)
    await assertGoesOn(id, before)
  },
)

const DAMAGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'cut short': async path => truncate(path, statSync(path).size - 1000),
  gone: path => rm(path),
  'changed in one byte': async path => {
    const bytes = await readFile(path)
    const middle = Math.floor(bytes.length / 2)
    bytes[middle] = (bytes[middle] ?? 0) ^ 1
    await writeFile(path, bytes)
  },
}
for (const [what, damage] of Object.entries(DAMAGES)) {
  test(`memory that is ${what} is not resumed from; the domain stays suspended`, DURING, async () => {
    const id = await suspended()
    const before = await world.serial(id)
    const { memory } = world.files(id)
    await cp(memory, `${memory}.kept`)
    await damage(memory)

    await assert.rejects(suspension().resume(id), { name: 'DriverError', kind: 'refused', message: /memory/ })
    assert.equal(await world.state(id), 'suspended')
    assert.deepEqual(world.processes(), [])
    await cp(`${memory}.kept`, memory)
    await suspension().resume(id)
    await assertGoesOn(id, before)
  })
}

test('memory that QEMU itself cannot take is refused in its words; the domain stays suspended', DURING, async () => {
  const id = await suspended()
  const { suspension: known } = world.files(id)
  const text = await readFile(known, 'utf8')
  await world.driver.close()
  await writeFile(known, text.replace(`memoryBytes\\": ${16 * MIB}`, `memoryBytes\\": ${24 * MIB}`))
  await world.connect()

  await assert.rejects(suspension().resume(id), { name: 'DriverError', kind: 'refused', message: /^QEMU: .*pc\.ram/ })
  assert.equal(await world.state(id), 'suspended')
  assert.deepEqual(world.processes(), [])
})

test('the network of a suspended domain cannot be forgotten', DURING, async () => {
  const network = { id: crypto.randomUUID(), name: 'lan', nic: '', vlan: null, gateway: '', netmask: '' }
  const { networks } = world.driver
  assert(networks !== undefined)
  await networks.define(network)
  const nic = { id: 'nic', mac: '02:00:00:00:00:01', mtu: 1500, model: 'paravirtualised', device: 'eth0' } as const
  const id = await world.booted({ nics: [{ ...nic, network: network.id }] })
  await suspension().suspend(id)
  const before = await world.serial(id)

  await assert.rejects(networks.undefine(network.id), { kind: 'bad-state' })
  await suspension().resume(id)
  await assertGoesOn(id, before)
  await world.driver.domains.powerOff(id)
  await networks.undefine(network.id)
})

test('a manager that went away while it wrote leaves a guest that goes on', DURING, async () => {
  const id = await world.booted()
  await world.driver.domains.pause(id)
  const before = await world.serial(id)
  const files = world.files(id)
  await world.driver.close()
  await writeFile(files.suspension, JSON.stringify({ format: 1, phase: 'saving', wasRunning: true }))
  await writeFile(files.memoryPartial, 'half of it')
  await world.connect()

  assert.equal(await world.state(id), 'running')
  assert.deepEqual(remains(id), [])
  await assertGoesOn(id, before)
})

test('a manager that went away before QEMU did leaves the domain suspended', DURING, async () => {
  const id = await suspended()
  const before = await world.serial(id)
  const files = world.files(id)
  for (const path of [files.memory, files.suspension]) await cp(path, `${path}.kept`)
  await suspension().resume(id, { paused: true })
  await world.driver.close()
  for (const path of [files.memory, files.suspension]) await cp(`${path}.kept`, path)
  await world.connect()

  assert.equal(await world.state(id), 'suspended')
  assert.deepEqual(world.processes(), [])
  await suspension().resume(id)
  await assertGoesOn(id, before)
})

test('memory that may have been executed from is never resumed from again', DURING, async () => {
  const [ended, living] = [await suspended(), await suspended()]
  await suspension().resume(living, { paused: true })
  await world.driver.close()
  for (const id of [ended, living]) {
    await writeFile(world.files(id).suspension, JSON.stringify({ format: 1, phase: 'consumed' }))
    await writeFile(world.files(id).memory, 'of a moment that is past')
  }
  await world.connect()

  assert.deepEqual([await world.state(ended), await world.state(living)], ['halted', 'paused'])
  assert.deepEqual([...remains(ended), ...remains(living)], [])
  assert.equal(world.warnings.length, 1)
})

test('a guest is resumed into the machine it had, whatever was plugged and defined meanwhile', DURING, async () => {
  const id = await world.booted()
  const config = await world.driver.domains.config(id)
  const [disk] = (await world.config()).disks
  assert(disk !== undefined)
  await world.driver.devices?.attachDisk(id, { ...disk, id: 'second', device: 'hdb' })
  await world.driver.domains.define({ ...config, vcpus: 2, memoryBytes: 32 * MIB })
  await world.reconnect()
  await suspension().suspend(id)
  const before = await world.serial(id)
  await suspension().resume(id)

  await assertGoesOn(id, before)
  assert.equal((await world.driver.domains.config(id)).vcpus, 2)
})

test('the images of a suspended domain are in use, and free when it is discarded', DURING, async () => {
  const id = await suspended()
  const [disk] = (await world.driver.domains.config(id)).disks
  const { storage } = world.driver
  assert(disk !== undefined && storage !== undefined)

  await assert.rejects(storage.deleteVolume(disk.location), { kind: 'bad-state' })
  await assert.rejects(world.driver.domains.undefine(id), { kind: 'bad-state', message: /is suspended/ })
  await world.reconnect()
  await assert.rejects(world.driver.storage?.deleteVolume(disk.location) ?? Promise.resolve(), { kind: 'bad-state' })
  await world.driver.domains.powerOff(id)
  assert.equal(await world.state(id), 'halted')
  assert.deepEqual(remains(id), [])
  await world.driver.storage?.deleteVolume(disk.location)
})

test('what a resumed guest does at its end is what its definition says then', DURING, async () => {
  const id = await suspended()
  const exits = { shutdown: 'restart', reboot: 'restart', suspend: 'restart', crash: 'hold' } as const
  await world.driver.domains.define({ ...(await world.driver.domains.config(id)), exits })
  await suspension().resume(id)
  await world.send(id, 'c')

  await world.untilState(id, 'crashed')
  await assert.rejects(suspension().suspend(id), { kind: 'bad-state', message: /is crashed/ })
})
