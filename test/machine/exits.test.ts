import assert from 'node:assert/strict'
import { once } from 'node:events'
import { open, readdir } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeBootImage } from '../guests/boot-sector.ts'
import { printed, qemuProcesses, reached, serialOutput, until } from '../support/machine.ts'
import { Lab, TEST_MS, type Values } from './lab.ts'

const CRASHED = ' (crashed)'

describe('a guest that ends by itself, through XML-RPC alone', () => {
  let lab: Lab
  let template: string

  before(async () => {
    lab = await Lab.open()
    const { sr, location } = await lab.repository('boot')
    await writeBootImage(join(location, 'boot.raw'))
    await lab.session.ok('SR.scan', sr)
    const [vdi = ''] = await lab.session.list('SR.get_VDIs', sr)
    template = await lab.create('VM', { name_label: 'template', memory_static_max: '16777216', is_a_template: true })
    await lab.create('VBD', { VM: template, VDI: vdi, device: 'xvda', driver: 'paravirtualised' })
  })
  after(() => lab.close())

  const state = (vm: string) => lab.session.text('VM.get_power_state', vm)
  const boots = async (vm: string) => (await serialOutput(lab.session, vm)).split('BOOT-OK').length - 1

  /** A guest that counts, with a disk of its own. */
  async function counting(name: string, values: Values): Promise<string> {
    const vm = await lab.session.text('VM.clone', template, name)
    for (const [field, value] of Object.entries(values)) await lab.session.ok(`VM.set_${field}`, vm, value)
    await lab.session.ok('VM.start', vm, false)
    await printed(lab.session, vm, 'TICK 0001')
    return vm
  }

  /** Gives a command of one byte to the guest: p, r, s, c. */
  async function type(vm: string, command: string): Promise<void> {
    const socket = createConnection(join(lab.data, 'qemu', vm, 'serial.sock'))
    socket.resume()
    await once(socket, 'connect')
    socket.end(command)
    await once(socket, 'close')
  }

  const bootsAgain = (vm: string, times = 2) =>
    until(`boot ${times}`, async () => ((await boots(vm)) === times ? true : undefined))

  /** Guests that run no more, and nothing of them in memory. */
  async function isGone(vm: string): Promise<void> {
    await reached(lab.session, vm, 'Halted')
    assert.deepEqual(await qemuProcesses(join(lab.data, 'qemu', vm)), [])
    assert.equal(await boots(vm), 1)
    assert.equal(await lab.session.text('VM.get_resident_on', vm), '')
  }

  const EXITS = { after_shutdown: 'p', after_reboot: 'r', after_suspend: 's' } as const
  for (const [action, command] of Object.entries(EXITS)) {
    // Proves: VM.actions/after_shutdown, VM.actions/after_reboot, VM.actions/after_suspend
    it(`is destroyed or restarted as actions/${action} says`, { timeout: TEST_MS }, async () => {
      const [ends, goesOn] = await Promise.all([
        counting(`${action} destroy`, { [`actions_${action}`]: 'destroy' }),
        counting(`${action} restart`, { [`actions_${action}`]: 'restart' }),
      ])

      await Promise.all([type(ends, command), type(goesOn, command)])

      await isGone(ends)
      await bootsAgain(goesOn)
      assert.equal(await state(goesOn), 'Running')
      await lab.session.ok('VM.set_actions_after_shutdown', goesOn, 'destroy')
      await lab.session.ok('VM.hard_shutdown', goesOn)
    })
  }

  /** The memory that was dumped of a VM, by path. */
  async function dumps(vm: string): Promise<string[]> {
    const names = await readdir(join(lab.data, 'qemu', vm), { recursive: true })
    return names.filter(name => name.endsWith('.core')).map(name => join(lab.data, 'qemu', vm, name))
  }

  async function isDumped(vm: string): Promise<void> {
    const [dump = '', ...others] = await dumps(vm)
    assert.deepEqual(others, [])
    const file = await open(dump)
    const { buffer } = await file.read({ buffer: Buffer.alloc(18), position: 0 })
    await file.close()
    // Source: ELF-64, e_ident and e_type: a core file is type 4.
    assert.deepEqual([buffer.toString('latin1', 1, 4), buffer.readUInt16LE(16)], ['ELF', 4])
  }

  // Proves: VM.actions/after_crash
  it('is destroyed when it panics, its memory recorded before where that is wanted', { timeout: TEST_MS }, async () => {
    const [plain, recorded] = await Promise.all([
      counting('destroy', { actions_after_crash: 'destroy' }),
      counting('coredump', { actions_after_crash: 'coredump_and_destroy' }),
    ])

    await Promise.all([type(plain, 'c'), type(recorded, 'c')])

    await Promise.all([isGone(plain), isGone(recorded)])
    assert.deepEqual(await dumps(plain), [])
    await isDumped(recorded)
  })

  // Proves: VM.actions/after_crash
  it('is restarted when it panics, its memory recorded before where that is wanted', { timeout: TEST_MS }, async () => {
    const [plain, recorded] = await Promise.all([
      counting('restart', { actions_after_crash: 'restart' }),
      counting('dump and restart', { actions_after_crash: 'coredump_and_restart' }),
    ])

    await Promise.all([type(plain, 'c'), type(recorded, 'c')])

    await Promise.all([bootsAgain(plain), bootsAgain(recorded)])
    assert.deepEqual([await state(plain), await state(recorded)], ['Running', 'Running'])
    assert.deepEqual(await dumps(plain), [])
    await isDumped(recorded)
    for (const vm of [plain, recorded]) await lab.session.ok('VM.hard_shutdown', vm)
  })

  // Proves: VM.actions/after_crash
  it('is left as it crashed where it is to be preserved, also by the next server', { timeout: TEST_MS }, async () => {
    const vm = await counting('preserve', { actions_after_crash: 'preserve' })
    const pid = await lab.process(vm)

    await type(vm, 'c')

    await until('the crash to show', async () => ((await state(vm)) === 'Running' ? undefined : true))
    const held = await state(vm)
    await lab.restart()
    assert.equal(await state(vm), held)
    assert.deepEqual([await lab.process(vm), await boots(vm)], [pid, 1])
    await lab.session.ok('VM.hard_shutdown', vm)
    await isGone(vm)
  })

  // Proves: VM.actions/after_crash
  it('is treated by the next server where there was none when it panicked', { timeout: TEST_MS }, async () => {
    const vm = await counting('unseen', { actions_after_crash: 'coredump_and_destroy' })

    await lab.restart(() => type(vm, 'c'))

    await isGone(vm)
    await isDumped(vm)
  })

  const named = async (name: string): Promise<readonly string[]> => {
    const all = await lab.session.list('VM.get_all')
    const names = await Promise.all(all.map(vm => lab.session.text('VM.get_name_label', vm)))
    return all.filter((_, index) => names[index] === name)
  }

  const only = async (method: string, ref: string): Promise<string> => (await lab.session.list(method, ref))[0] ?? ''

  // Proves: VM.actions/after_crash
  it('is renamed and kept while a copy of it runs under its name, and that not without end', {
    timeout: TEST_MS,
  }, async () => {
    const MAC = '02:00:00:00:06:01'
    const network = await lab.create('network', { name_label: 'lab' })
    const first = await lab.session.text('VM.clone', template, 'phoenix')
    await lab.create('VIF', { VM: first, network, MAC, device: 'eth0', type: 'paravirtualised' })
    await lab.session.ok('VM.set_actions_after_crash', first, 'rename_restart')
    await lab.session.ok('VM.start', first, false)
    const vdiOf = async (vm: string) => lab.session.text('VBD.get_VDI', await only('VM.get_VBDs', vm))
    const macOf = async (vm: string) => lab.session.text('VIF.get_MAC', await only('VM.get_VIFs', vm))

    let current = first
    const crashed: string[] = []
    for (let turn = 1; turn <= 3; turn++) {
      await printed(lab.session, current, 'TICK 0001')
      await type(current, 'c')
      const copy = await until(`copy ${turn}`, async () => (await named('phoenix')).find(vm => vm !== current))
      await reached(lab.session, copy, 'Running')
      assert.equal(await lab.session.text('VM.get_name_label', current), `phoenix${CRASHED}`)
      assert.notEqual(await state(current), 'Halted')
      assert.deepEqual([await macOf(copy), (await macOf(current)) === MAC], [MAC, false])
      assert.notEqual(await vdiOf(copy), await vdiOf(current))
      assert.equal(await lab.session.text('VDI.get_parent', await vdiOf(copy)), await vdiOf(current))
      crashed.push(current)
      current = copy
    }

    await printed(lab.session, current, 'TICK 0001')
    await type(current, 'c')
    await until('the last crash to show', async () => ((await state(current)) === 'Running' ? undefined : true))
    await lab.restart()
    assert.deepEqual(await named('phoenix'), [current])
    assert.equal((await named(`phoenix${CRASHED}`)).length, 3)
    for (const vm of [...crashed, current]) await lab.session.ok('VM.hard_shutdown', vm)
  })
})
