import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import type { CimValue } from '../../sim/hyperv/cim/model.ts'
import { ManualClock } from '../../sim/hyperv/host/clock.ts'
import { modifySystem } from '../../sim/hyperv/host/definition.ts'
import type { Vm } from '../../sim/hyperv/host/model.ts'
import { openHost } from '../../sim/hyperv/host/open-host.ts'
import { parseState, printState, readState, StateError } from '../../sim/hyperv/host/persistence.ts'
import { changeState, type PowerRequest } from '../../sim/hyperv/host/power.ts'
import { isTrueIn, numberIn } from '../../sim/hyperv/host/settings.ts'
import { mistakeIn } from '../../sim/hyperv/host/state-shape.ts'
import { machineIn, OWNER, START, V2, type World, worldOf } from './host-world.ts'

let folder = ''
let files = 0

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyvisor-sim-state-'))
})

after(() => rm(folder, { recursive: true, force: true }))

const newFile = (): string => join(folder, `${++files}.json`)

function set(world: World, vm: Vm, values: Readonly<Record<string, CimValue>>): void {
  modifySystem(world.host, new Map<string, CimValue>([['InstanceID', `Microsoft:${vm.id}`], ...Object.entries(values)]))
}

async function reach(world: World, vm: Vm, ...requests: readonly PowerRequest[]): Promise<void> {
  for (const request of requests) {
    await changeState(world.host, vm, request, { namespace: V2, owner: OWNER })
    await world.clock.advance(20_000)
  }
}

test('one seed makes one host, another makes another', async () => {
  const hosts = await Promise.all(['a', 'a', 'b'].map(seed => worldOf({ seed, vms: 12 })))

  const [first, again, other] = hosts.map(({ host }) => printState(host.state))
  assert.equal(first, again)
  assert.notEqual(first, other)
})

test('sample machines are of all kinds, and leave memory for more', async () => {
  const { host } = await worldOf({ vms: 40, memoryMb: 65_536 })

  const { vms } = host.state
  assert.equal(vms.length, 40)
  assert.deepEqual(
    [vms[0], vms[39]].map(vm => vm?.configuration.system.values['ElementName']),
    ['vm-0001', 'vm-0040'],
  )
  assert.deepEqual([...new Set(vms.map(vm => vm.power))].sort(), ['off', 'running'])
  assert.deepEqual([...new Set(vms.map(vm => vm.guest))].sort(), ['linux', 'none', 'windows'])
  const generations = new Set(vms.map(vm => vm.configuration.system.values['VirtualSystemSubType']))
  assert.equal(generations.size, 2)
})

test('a state that was written is read as it was, 64-bit integers and all', async () => {
  const { host } = await worldOf({ vms: 7 })
  const [vm] = host.state.vms
  assert(vm !== undefined)
  vm.hostItems = { a: '1', __proto__x: '2' }
  vm.cpuTime = [12_345_678_901_234_567_890n, 0n]

  const read = parseState(printState(host.state), 'here')

  assert.deepEqual(read, host.state)
})

test('a state file is written whole and left alone beside it', async () => {
  const path = newFile()
  const world = await worldOf({ stateFile: path, vms: 2 })
  machineIn(world, 'web')
  await world.close()

  const state = await readState(path)
  assert.deepEqual(state, world.host.state)
  assert.deepEqual(
    (await readdir(folder)).filter(name => name.endsWith('.new')),
    [],
  )
})

test('a change is in the file soon after, without anybody closing the host', async () => {
  const path = newFile()
  const { host, close } = await openHost({ seed: 'a', stateFile: path })
  const world = { host } as const
  const before = await readFile(path, 'utf8')

  const vm = machineIn({ ...(await worldOf()), ...world }, 'web')
  for (let wait = 0; wait < 1_000 && (await readFile(path, 'utf8')) === before; wait++) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }

  assert.equal((await readState(path))?.vms[0]?.id, vm.id)
  await close()
})

test('a state file that cannot be used is an error that says why, and stays as it is', async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /not JSON/],
    ['{"version":1', /not JSON/],
    ['null', /version undefined/],
    ['{"version":2}', /version 2; only version 1/],
    ['{"version":1}', /state\.name is not a string/],
    [JSON.stringify({ version: 1, name: 'A', more: 1 }), /unknown more/],
  ]
  for (const [text, message] of cases) {
    const path = newFile()
    await writeFile(path, text)
    await assert.rejects(openHost({ stateFile: path }), (error: unknown) => {
      assert(error instanceof StateError)
      assert.match(error.message, message)
      assert(error.message.includes(path))
      return true
    })
    assert.equal(await readFile(path, 'utf8'), text)
  }
})

test('a state file in a folder that is not there is an error, at the start and at the end', async () => {
  await assert.rejects(openHost({ stateFile: join(folder, 'nowhere', 'state.json') }), StateError)
})

test('whatever stands in a state file, it is read or refused with an error of its own', () => {
  const checked = (text: string): void => {
    try {
      parseState(text, 'here')
    } catch (error) {
      assert(error instanceof StateError, String(error))
    }
  }
  fc.assert(fc.property(fc.string(), checked))
  fc.assert(fc.property(fc.json(), checked))
  fc.assert(fc.property(fc.object(), value => checked(JSON.stringify({ version: 1, ...value }))))
})

test('a state in which anything is missing or of another type is refused', async () => {
  const { host } = await worldOf({ vms: 2 })
  const text = printState(host.state)
  assert.equal(mistakeIn(parseState(text, 'here')), undefined)
  for (const [from, to] of [
    ['"power":"off"', '"power":"dozing"'],
    ['"ranMs":0', '"ranMs":"0"'],
    ['"guest":"linux"', '"guest":"bsd"'],
    ['"snapshots":[]', '"snapshots":{}'],
    ['"typed":""', '"typing":""'],
    ['"className":"Msvm_ProcessorSettingData"', '"className":7'],
    ['"Weight":100', '"Weight":{"a":1}'],
  ] as const) {
    assert(text.includes(from), from)
    assert.throws(() => parseState(text.replace(from, to), 'here'), StateError, to)
  }
})

/** A host with one machine for each automatic start action, all in the same state when the host goes down. */
async function rebooted(requests: readonly PowerRequest[], goDown: (world: World) => Promise<void>) {
  const path = newFile()
  const clock = new ManualClock(START)
  const world = await worldOf({ stateFile: path, clock })
  for (const action of [2, 3, 4]) {
    const vm = machineIn(world, `start ${action}`, 'windows')
    set(world, vm, { AutomaticStartupAction: action })
    await reach(world, vm, ...requests)
  }
  await goDown(world)
  await clock.advance(60_000)
  const { host, close } = await openHost({ stateFile: path, clock, seed: 'a seed' })
  return { host, clock, close }
}

async function falls(world: World): Promise<void> {
  // Nobody closes a host that loses its power: what is in the file is all there is.
  const copy = printState(world.host.state)
  await world.close()
  const [path] = (await readdir(folder)).filter(name => name === `${files}.json`)
  await writeFile(join(folder, path ?? ''), copy)
}

test('after a fall of the host, machines that ran are off, and start as their automatic action says', async () => {
  const { host, close } = await rebooted(['run'], falls)

  assert.deepEqual(
    host.state.vms.map(vm => vm.power),
    ['off', 'running', 'running'],
  )
  await close()
})

test('after a fall of the host, machines that were off start only if they always do', async () => {
  const { host, close } = await rebooted([], falls)

  assert.deepEqual(
    host.state.vms.map(vm => vm.power),
    ['off', 'off', 'running'],
  )
  await close()
})

test('a host that goes down saves machines, and goes on with them as their automatic action says', async () => {
  const { host, close } = await rebooted(['run'], world => world.close())

  assert.deepEqual(
    host.state.vms.map(vm => vm.power),
    ['saved', 'running', 'running'],
  )
  assert.deepEqual(
    host.state.vms.map(vm => vm.ranAtShutdown),
    [false, false, false],
  )
  await close()
})

test('a host that goes down turns off, saves or shuts down machines as each says', async () => {
  const path = newFile()
  const world = await worldOf({ stateFile: path })
  for (const action of [2, 3, 4]) {
    const vm = machineIn(world, `shut down ${action}`, 'windows')
    set(world, vm, { AutomaticShutdownAction: action })
    await reach(world, vm, 'run')
  }
  const mute = machineIn(world, 'mute', 'none')
  set(world, mute, { AutomaticShutdownAction: 4 })
  await reach(world, mute, 'run')

  await world.close()
  await world.close()

  const state = await readState(path)
  assert.deepEqual(
    state?.vms.map(vm => vm.power),
    ['off', 'saved', 'off', 'saved'],
  )
  assert.deepEqual(
    state?.vms.map(vm => vm.ranAtShutdown),
    [true, true, true, true],
  )
})

test('an automatic start waits for its delay, and for memory in vain', async () => {
  const path = newFile()
  const clock = new ManualClock(START)
  const world = await worldOf({ stateFile: path, clock, memoryMb: 4096 })
  const late = machineIn(world, 'late')
  set(world, late, { AutomaticStartupAction: 4, AutomaticStartupActionDelay: '00000000000030.000000:000' })
  const large = machineIn(world, 'large')
  set(world, large, { AutomaticStartupAction: 4 })
  const memory = large.configuration.resources.find(one => one.className === 'Msvm_MemorySettingData')
  if (memory !== undefined) memory.values['VirtualQuantity'] = 8192n
  await world.close()

  const { host, close } = await openHost({ stateFile: path, clock, seed: 'a seed' })
  await clock.advance(29_999)
  assert.deepEqual(
    host.state.vms.map(vm => vm.power),
    ['off', 'off'],
  )
  await clock.advance(1)

  assert.deepEqual(
    host.state.vms.map(vm => vm.power),
    ['running', 'off'],
  )
  await close()
})

test('a host that comes up again does not make identifiers that it made before', async () => {
  const path = newFile()
  const clock = new ManualClock(START)
  const ids = new Set<string>()
  for (let boot = 0; boot < 4; boot++) {
    const world = await worldOf({ stateFile: path, clock })
    ids.add(machineIn(world, `machine ${boot}`).id)
    await world.close()
    await clock.advance(1000)
  }

  assert.equal(ids.size, 4)
  assert.equal((await readState(path))?.vms.length, 4)
})

test('what a machine is set to outlives the host', async () => {
  const path = newFile()
  const world = await worldOf({ stateFile: path })
  const vm = machineIn(world, 'web', 'windows', 2)
  set(world, vm, { SecureBootEnabled: false, HighMmioGapSize: 32_768n, Notes: ['日本語 & <more>'] })
  await world.close()

  const { host, close } = await openHost({ stateFile: path })
  const system = host.vm(vm.id)?.configuration.system

  assert.equal(isTrueIn(system, 'SecureBootEnabled'), false)
  assert.equal(numberIn(system, 'HighMmioGapSize'), 32_768)
  assert.deepEqual(system?.values['Notes'], ['日本語 & <more>'])
  await close()
})
