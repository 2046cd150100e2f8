import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { JobState } from '../../sim/hyperv/host/jobs.ts'
import {
  cpuTimesOf,
  freeMemoryMb,
  guestAnswers,
  heartbeatOf,
  loadOf,
  memoryUseOf,
  onTimeOf,
} from '../../sim/hyperv/host/life.ts'
import type { PowerState, Vm } from '../../sim/hyperv/host/model.ts'
import { askGuest, changeState, type PowerRequest } from '../../sim/hyperv/host/power.ts'
import { textIn } from '../../sim/hyperv/host/settings.ts'
import { machineIn, OWNER, V2, type World, worldOf } from './host-world.ts'

const LONG_MS = 10_000

async function ask(world: World, vm: Vm, request: PowerRequest): Promise<number> {
  const { returnValue } = await changeState(world.host, vm, request, { namespace: V2, owner: OWNER })
  return returnValue
}

async function reach(world: World, vm: Vm, ...requests: readonly PowerRequest[]): Promise<void> {
  for (const request of requests) {
    assert.equal(await ask(world, vm, request), 4096, `${request} from ${vm.power}`)
    await world.clock.advance(LONG_MS)
  }
}

function setMemory(vm: Vm, values: Readonly<Record<string, bigint | boolean | number>>): void {
  const memory = vm.configuration.resources.find(one => one.className === 'Msvm_MemorySettingData')
  assert(memory !== undefined)
  Object.assign(memory.values, values)
}

const PATHS: Readonly<Record<string, readonly PowerRequest[]>> = {
  off: [],
  running: ['run'],
  paused: ['run', 'pause'],
  saved: ['run', 'save'],
}

const ALLOWED: readonly (readonly [PowerState, PowerRequest, PowerState, PowerState])[] = [
  ['off', 'run', 'starting', 'running'],
  ['off', 'reboot', 'starting', 'running'],
  ['saved', 'run', 'starting', 'running'],
  ['saved', 'reboot', 'starting', 'running'],
  ['saved', 'turn-off', 'stopping', 'off'],
  ['running', 'turn-off', 'stopping', 'off'],
  ['running', 'shut-down', 'stopping', 'off'],
  ['running', 'save', 'saving', 'saved'],
  ['running', 'pause', 'pausing', 'paused'],
  ['running', 'reset', 'starting', 'running'],
  ['running', 'reboot', 'stopping', 'running'],
  ['paused', 'run', 'resuming', 'running'],
  ['paused', 'turn-off', 'stopping', 'off'],
  ['paused', 'save', 'saving', 'saved'],
  ['paused', 'reset', 'starting', 'running'],
  ['paused', 'reboot', 'stopping', 'running'],
]

for (const [from, request, via, to] of ALLOWED) {
  test(`a machine that is ${from} and asked to ${request} is ${via} while the job runs, and then ${to}`, async () => {
    const world = await worldOf()
    const vm = machineIn(world, 'web', 'linux')
    await reach(world, vm, ...(PATHS[from] ?? []))

    assert.equal(await ask(world, vm, request), 4096)

    assert.equal(vm.power, via)
    await world.clock.advance(LONG_MS)
    assert.equal(vm.power, to)
    assert.equal(world.host.jobs.list().at(-1)?.state, JobState.completed)
  })
}

test('whatever else is asked of a machine is an invalid state, the state that it has included', async () => {
  const requests: readonly PowerRequest[] = ['run', 'turn-off', 'shut-down', 'save', 'pause', 'reboot', 'reset']
  for (const [from, path] of Object.entries(PATHS)) {
    const world = await worldOf()
    const vm = machineIn(world, 'web', 'linux')
    await reach(world, vm, ...path)
    for (const request of requests) {
      if (ALLOWED.some(([source, asked]) => source === from && asked === request)) continue
      assert.equal(await ask(world, vm, request), 32775, `${request} from ${from}`)
      assert.equal(vm.power, from)
    }
  }
})

test('a machine that is on its way is asked for nothing else', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  await ask(world, vm, 'run')

  assert.equal(vm.power, 'starting')
  for (const request of ['run', 'turn-off', 'save', 'pause', 'reset'] as const) {
    assert.equal(await ask(world, vm, request), 32775)
  }
})

test('of two that ask for a start at once, one is too late', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')

  const answers = await Promise.all([ask(world, vm, 'run'), ask(world, vm, 'run')])

  assert.deepEqual(answers, [4096, 32775])
})

test('a guest that boots anew can be asked to leave again', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'linux')
  await reach(world, vm, 'run')
  askGuest(world.host, vm, 'shut-down')
  assert.equal(await ask(world, vm, 'reset'), 4096)
  await world.clock.advance(LONG_MS)
  assert.equal(vm.power, 'running')

  askGuest(world.host, vm, 'shut-down')
  await world.clock.advance(1500)
  assert.equal(vm.power, 'off')
})

test('a start that is cancelled leaves the machine off', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  await ask(world, vm, 'run')
  const [job] = world.host.jobs.list()

  await world.clock.advance(100)
  world.host.jobs.cancel(job?.id ?? '', JobState.terminated)
  await world.clock.advance(LONG_MS)

  assert.equal(vm.power, 'off')
  assert.equal(vm.processId, undefined)
})

test('a machine that does not find its memory fails to start, with the code and the sentences of hosts', async () => {
  const world = await worldOf({ memoryMb: 4096 })
  const [first, second] = [machineIn(world, 'first'), machineIn(world, 'second')]
  setMemory(first, { VirtualQuantity: 2048n })
  setMemory(second, { VirtualQuantity: 2200n })
  await reach(world, first, 'run')

  assert.equal(await ask(world, second, 'run'), 4096)
  assert.equal(second.power, 'starting')
  await world.clock.advance(LONG_MS)

  const job = world.host.jobs.list().at(-1)
  assert.equal(job?.state, JobState.exception)
  assert.equal(job?.failure?.code, 32788)
  const [headline, reason, detail] = job?.failure?.message.split('\n') ?? []
  assert.match(headline ?? '', /^'second' failed to start\./)
  assert.match(reason ?? '', /^Not enough memory .* virtual machine second with ram size 2200 megabytes\.$/)
  assert.match(detail ?? '', /\(0x8007000E\)\. \(Virtual machine ID [0-9A-F-]{36}\)$/)
  assert.equal(second.power, 'off')

  await reach(world, first, 'turn-off')
  await reach(world, second, 'run')
  assert.equal(second.power, 'running')
})

test('two machines that start at once do not both get memory that is there for one', async () => {
  const world = await worldOf({ memoryMb: 4096 })
  const machines = [machineIn(world, 'first'), machineIn(world, 'second')]
  for (const vm of machines) setMemory(vm, { VirtualQuantity: 2048n })

  for (const vm of machines) await ask(world, vm, 'run')
  await world.clock.advance(LONG_MS)

  assert.deepEqual(
    machines.map(vm => vm.power),
    ['running', 'off'],
  )
})

test('a machine that runs has a process, its memory, and time that passes but for pauses', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  const free = freeMemoryMb(world.host)
  assert.equal(await ask(world, vm, 'run'), 4096)
  await world.clock.advance(800)

  assert.equal(typeof vm.processId, 'number')
  assert.equal(freeMemoryMb(world.host), free - 1024)
  assert.equal(onTimeOf(world.host, vm), 0)
  await world.clock.advance(5000)
  assert.equal(onTimeOf(world.host, vm), 5000)

  await ask(world, vm, 'pause')
  await world.clock.advance(60_200)
  assert.equal(onTimeOf(world.host, vm), 5200)
  assert.notEqual(vm.processId, undefined)
  await ask(world, vm, 'run')
  await world.clock.advance(1200)
  assert.equal(onTimeOf(world.host, vm), 6200)

  await reach(world, vm, 'turn-off')
  assert.equal(onTimeOf(world.host, vm), 0)
  assert.equal(vm.processId, undefined)
  assert.equal(freeMemoryMb(world.host), free)
})

test('CPU time only ever grows, by no more than time passes, and as fast as the load says', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await reach(world, vm, 'run')

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 3_600_000 }), async ms => {
      const [before = 0n] = cpuTimesOf(world.host, vm)
      await world.clock.advance(ms)
      const [after = 0n] = cpuTimesOf(world.host, vm)
      assert(after > before)
      assert(after - before <= BigInt(ms) * 10_000n)
    }),
    { numRuns: 100 },
  )
  const [before = 0n] = cpuTimesOf(world.host, vm)
  const load = loadOf(world.host, vm, 0)
  await world.clock.advance(1000)
  const [after = 0n] = cpuTimesOf(world.host, vm)
  assert(Math.abs(Number(after - before) / 10_000_000 - load) < 0.05)
})

test('CPU time stands still while a machine is paused, and begins anew when it starts again', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await reach(world, vm, 'run')
  await world.clock.advance(3_600_000)
  await reach(world, vm, 'pause')

  const before = cpuTimesOf(world.host, vm)
  await world.clock.advance(3_600_000)
  assert.deepEqual(cpuTimesOf(world.host, vm), before)

  await reach(world, vm, 'turn-off')
  assert.deepEqual(cpuTimesOf(world.host, vm), [])
  await ask(world, vm, 'run')
  await world.clock.advance(800)
  assert.deepEqual(cpuTimesOf(world.host, vm), [0n])
})

test('memory that is dynamic moves between its bounds and takes of the host what it has', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  setMemory(vm, { DynamicMemoryEnabled: true, VirtualQuantity: 2048n, Reservation: 512n, Limit: 4096n })
  const free = freeMemoryMb(world.host)
  await reach(world, vm, 'run')
  assert.equal(memoryUseOf(world.host, vm)?.assignedMb, 2048)

  const seen = new Set<number>()
  for (let minute = 0; minute < 30; minute++) {
    await world.clock.advance(60_000)
    const use = memoryUseOf(world.host, vm)
    assert(use !== undefined)
    assert(use.assignedMb >= 512 && use.assignedMb <= 4096, `${use.assignedMb} MB`)
    assert(use.demandMb <= use.assignedMb)
    assert.equal(use.assignedMb % 2, 0)
    assert.equal(freeMemoryMb(world.host), free - use.assignedMb)
    seen.add(use.assignedMb)
  }
  assert(seen.size > 3)
})

test('a guest answers once it has booted, and not while it does not run', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await ask(world, vm, 'run')
  await world.clock.advance(1000)
  assert.equal(guestAnswers(world.host, vm), false)
  assert.equal(heartbeatOf(world.host, vm), 12)

  await world.clock.advance(8000)
  assert.equal(guestAnswers(world.host, vm), true)
  assert.equal(heartbeatOf(world.host, vm), 2)

  await reach(world, vm, 'pause')
  assert.equal(guestAnswers(world.host, vm), false)
  assert.equal(heartbeatOf(world.host, vm), 13)
  await ask(world, vm, 'run')
  await world.clock.advance(200)
  assert.equal(guestAnswers(world.host, vm), true)

  await reach(world, vm, 'turn-off')
  assert.equal(heartbeatOf(world.host, vm), undefined)
})

test('a guest that was paused while it booted has the rest of it before it', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await ask(world, vm, 'run')
  await world.clock.advance(800 + 3000)
  await ask(world, vm, 'pause')
  await world.clock.advance(100_000)
  await ask(world, vm, 'run')
  await world.clock.advance(200)

  assert.equal(guestAnswers(world.host, vm), false)
  await world.clock.advance(4700)
  assert.equal(guestAnswers(world.host, vm), false)
  await world.clock.advance(300)
  assert.equal(guestAnswers(world.host, vm), true)
})

test('a machine that was saved goes on where it was, with a process and a time of its own anew', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'linux')
  await reach(world, vm, 'run')
  const processId = vm.processId
  await reach(world, vm, 'save')
  assert.equal(onTimeOf(world.host, vm), 0)

  await ask(world, vm, 'run')
  await world.clock.advance(300 + 1024)

  assert.equal(vm.power, 'running')
  assert.equal(guestAnswers(world.host, vm), true)
  assert.notEqual(vm.processId, processId)
})

test('a machine without a guest never answers, and cannot be asked to shut down', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'none')
  await reach(world, vm, 'run')
  await world.clock.advance(3_600_000)

  assert.equal(guestAnswers(world.host, vm), false)
  assert.equal(await ask(world, vm, 'shut-down'), 32775)
  assert.throws(() => askGuest(world.host, vm, 'shut-down'), { name: 'OperationError', code: 32775 })
})

test('a guest that is asked leaves some seconds later, and is not asked twice', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await reach(world, vm, 'run')

  askGuest(world.host, vm, 'shut-down')
  assert.throws(() => askGuest(world.host, vm, 'shut-down'), { name: 'OperationError', code: 32775 })
  await world.clock.advance(2999)
  assert.equal(vm.power, 'running')
  await world.clock.advance(1)

  assert.equal(vm.power, 'off')
})

test('a guest that was asked to restart boots again, in the same process', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await reach(world, vm, 'run')
  const processId = vm.processId

  askGuest(world.host, vm, 'reboot')
  await world.clock.advance(3000)

  assert.equal(vm.power, 'running')
  assert.equal(guestAnswers(world.host, vm), false)
  assert.equal(vm.processId, processId)
  assert.equal(onTimeOf(world.host, vm), 0)
})

test('a guest that was asked to leave does not turn off the machine that was started after it', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web', 'windows')
  await reach(world, vm, 'run')
  askGuest(world.host, vm, 'shut-down')
  assert.equal(await ask(world, vm, 'turn-off'), 4096)
  await world.clock.advance(400)
  assert.equal(await ask(world, vm, 'run'), 4096)
  await world.clock.advance(LONG_MS)

  assert.equal(vm.power, 'running')
})

test('a network adapter with a dynamic address has one from the first start on', async () => {
  const world = await worldOf()
  const vm = machineIn(world, 'web')
  vm.configuration.resources.push({
    className: 'Msvm_SyntheticEthernetPortSettingData',
    values: {
      InstanceID: `Microsoft:${vm.id}\\7C5B9A44-1B5F-4B5C-9A6B-2F8C2B5D5C01`,
      ResourceType: 10,
      ResourceSubType: 'Microsoft:Hyper-V:Synthetic Ethernet Port',
      Address: '000000000000',
      StaticMacAddress: false,
    },
  })

  await reach(world, vm, 'run')

  assert.match(textIn(vm.configuration.resources.at(-1), 'Address') ?? '', /^00155D[0-9A-F]{6}$/)
})
