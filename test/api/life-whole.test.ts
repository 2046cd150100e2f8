import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../support/machine.ts'
import { make, startWorld } from './world.ts'

const { root } = await startWorld()

const running = async (values: Readonly<Record<string, string | boolean>> = {}) => {
  const vm = await make(root, 'VM', values)
  await root.ok('VM.start', vm, false)
  return vm
}
const stateOf = (vm: string) => root.text('VM.get_power_state', vm)
const reaches = (vm: string, state: string) =>
  until(`VM to be ${state}`, async () => ((await stateOf(vm)) === state ? true : undefined))

describe('suspension', () => {
  // Proves: VM.suspend, VM.resume
  for (const live of [true, false]) {
    test(`a VM is suspended ${live ? 'live' : 'after it was stopped'} and goes on when it is resumed`, async () => {
      const vm = await running()

      await root.ok('VM.suspend', vm, live)
      assert.equal(await stateOf(vm), 'Suspended')
      assert.deepEqual(await root.fails('VM.start', vm, false), ['VM_BAD_POWER_STATE', vm, 'Halted', 'Suspended'])
      assert.equal((await root.fails('VM.delete', vm))[0], 'VM_BAD_POWER_STATE')

      await root.ok('VM.resume', vm, true)
      assert.equal(await stateOf(vm), 'Paused')
      await root.ok('VM.unpause', vm)
      assert.equal(await stateOf(vm), 'Running')
    })
  }

  test('what a suspension saved is discarded by hard_shutdown', async () => {
    const vm = await running()
    await root.ok('VM.suspend', vm, false)

    await root.ok('VM.hard_shutdown', vm)

    assert.equal(await stateOf(vm), 'Halted')
    await root.ok('VM.start', vm, false)
  })

  test('a suspension that fails leaves the VM running', async () => {
    const vm = await running({ name_label: 'vm-that-fails-to-suspend' })

    assert.equal((await root.fails('VM.suspend', vm, false))[0], 'DRIVER_FAILED')

    assert.equal(await stateOf(vm), 'Running')
  })

  // Proves: task.cancel
  test('a suspension that is cancelled leaves the VM running', async () => {
    const vm = await make(root, 'VM', { name_label: 'vm-that-is-slow' })
    await root.ok('VM.start', vm, false)

    const task = await root.text('Async.VM.suspend', vm, false)
    await root.ok('task.cancel', task)

    assert.deepEqual(await root.taskFails(task), ['TASK_CANCELLED', task])
    assert.equal(await stateOf(vm), 'Running')
    await root.ok('task.cancel', task)
  })
})

describe('what follows when a guest ends', () => {
  // Proves: VM.actions/after_shutdown, VM.clean_shutdown, VM.hard_shutdown
  for (const message of ['clean_shutdown', 'hard_shutdown']) {
    test(`${message} ends in Halted, or Running again where actions/after_shutdown says so`, async () => {
      const vm = await running()
      await root.ok(`VM.${message}`, vm)
      assert.equal(await stateOf(vm), 'Halted')

      await root.ok('VM.set_actions_after_shutdown', vm, 'restart')
      await root.ok('VM.start', vm, false)
      await root.ok(`VM.${message}`, vm)
      await reaches(vm, 'Running')
    })
  }

  // Proves: VM.actions/after_reboot, VM.clean_reboot, VM.hard_reboot
  for (const message of ['clean_reboot', 'hard_reboot']) {
    test(`${message} ends in Running, or Halted where actions/after_reboot says so, whatever follows a shutdown`, async () => {
      const vm = await running({ actions_after_shutdown: 'restart' })
      await root.ok(`VM.${message}`, vm)
      assert.equal(await stateOf(vm), 'Running')

      await root.ok('VM.set_actions_after_reboot', vm, 'destroy')
      await root.ok(`VM.${message}`, vm)
      assert.equal(await stateOf(vm), 'Halted')
    })
  }

  // Proves: VM.actions/after_suspend
  test('a guest that suspends itself is Halted, or started again where actions/after_suspend says so', async () => {
    const vm = await running({ name_label: 'vm-that-suspends' })
    await reaches(vm, 'Halted')

    await root.ok('VM.set_actions_after_suspend', vm, 'restart')
    await root.ok('VM.start', vm, false)

    assert.equal(await stateOf(vm), 'Running')
    await root.ok('VM.hard_shutdown', vm)
  })

  // Proves: VM.actions/after_crash
  test('a crashed VM is destroyed, with a dump or without', async () => {
    for (const actions_after_crash of ['destroy', 'coredump_and_destroy']) {
      const vm = await running({ name_label: 'vm-that-crashes', actions_after_crash })
      await reaches(vm, 'Halted')
    }
  })

  test('a crashed VM that is to be preserved stays, cannot go on, and can be ended or rebooted', async () => {
    const vm = await running({ name_label: 'vm-that-crashes', actions_after_crash: 'preserve' })
    await reaches(vm, 'Paused')

    assert.equal((await root.fails('VM.unpause', vm))[0], 'DRIVER_FAILED')

    await root.ok('VM.hard_reboot', vm)
    await reaches(vm, 'Paused')
    await root.ok('VM.hard_shutdown', vm)
  })

  test('a crashed VM is restarted, but not for ever', async () => {
    const vm = await running({ name_label: 'vm-that-crashes', actions_after_crash: 'coredump_and_restart' })

    await reaches(vm, 'Paused')
    await root.ok('VM.hard_shutdown', vm)
  })

  test('of a crashed VM that is to be renamed a copy takes the place, and of that one another, but not for ever', async () => {
    const name_label = 'vm-that-crashes-and-is-copied'
    const before = new Set(await root.list('VM.get_all'))
    const VDI = await make(root, 'VDI')
    const vm = await make(root, 'VM', { name_label, actions_after_crash: 'rename_restart' })
    await make(root, 'VBD', { VM: vm, VDI })
    const vif = await make(root, 'VIF', { VM: vm })
    const mac = await root.text('VIF.get_MAC', vif)
    await root.ok('VM.start', vm, false)

    const named = await until('the last copy to be crashed', async () => {
      const [copy, ...others] = await root.list('VM.get_by_name_label', name_label)
      const crashed = await root.list('VM.get_by_name_label', `${name_label} (crashed)`)
      if (copy === undefined || others.length > 0 || crashed.length < 3) return undefined
      return (await stateOf(copy)) === 'Paused' ? copy : undefined
    })

    assert.notEqual(named, vm)
    assert.equal(await root.text('VM.get_actions_after_crash', vm), 'preserve')
    assert.equal(await stateOf(vm), 'Paused')
    const [copied = ''] = await root.list('VM.get_VIFs', named)
    assert.equal(await root.text('VIF.get_MAC', copied), mac)
    assert.notEqual(await root.text('VIF.get_MAC', vif), mac)
    const made = (await root.list('VM.get_all')).filter(ref => !before.has(ref))
    assert.equal(made.length, 4)
    for (const ref of made) await root.ok('VM.hard_shutdown', ref)
  })
})

describe('memory', () => {
  // Proves: VM.memory/dynamic_min, VM.memory/dynamic_max, VM.memory/static_max, VM.memory/static_min
  test('a VM that runs is given what its dynamic maximum says', async () => {
    const MIB = 1024 * 1024
    const vm = await running({ memory_static_max: String(128 * MIB) })

    await root.ok('VM.set_memory_dynamic_max', vm, String(96 * MIB))

    await until('the balloon to be there', async () =>
      (await root.text('VM.get_memory_actual', vm)) === String(96 * MIB) ? true : undefined,
    )
  })
})
