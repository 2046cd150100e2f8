import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { writeBootImage } from '../guests/boot-sector.ts'
import { bootableVm, printed, qemuProcesses, serialOutput, until } from '../support/machine.ts'
import { join } from 'node:path'
import { type Guest, Lab, TEST_MS } from './lab.ts'

// The file is replaced as a whole, for whoever reads one that is being written finds nothing in it.
const COUNT =
  'i=0; echo $i >/tmp/counter; ' +
  '( while :; do i=$((i + 1)); echo $i >/tmp/next; mv /tmp/next /tmp/counter; sleep 0.2; done ) >/dev/null 2>&1 &'
const MAC = '02:00:00:00:05:01'

describe('a guest put to disk, through XML-RPC alone', () => {
  let lab: Lab
  let guest: Guest

  before(async () => {
    lab = await Lab.open()
  })
  after(() => lab.close())

  const counter = async () => Number(await guest.shell.run('cat /tmp/counter'))
  const bootId = () => guest.shell.run('cat /proc/sys/kernel/random/boot_id')
  const state = () => lab.session.text('VM.get_power_state', guest.vm)
  const processes = () => qemuProcesses(lab.data)

  /** The counter goes on from where it was, and does go on. */
  async function goesOnFrom(count: number): Promise<void> {
    guest = { ...guest, shell: await lab.shell(guest.vm) }
    const resumed = await counter()
    assert(resumed >= count, `${resumed} after ${count}`)
    await until('the counter to go on', async () => ((await counter()) > resumed + 1 ? true : undefined))
  }

  // Proves: VM.suspend, VM.resume, VM.power_state, VM.resident_on
  it('goes on where it was after the server was started anew, with what was plugged into it', {
    timeout: TEST_MS,
  }, async () => {
    guest = await lab.boot(await lab.defineLinux())
    const { vm } = guest
    const vdi = await lab.create('VDI', { name_label: 'plugged', virtual_size: '8192' })
    await lab.create('VBD', { VM: vm, VDI: vdi, device: 'xvda', driver: 'paravirtualised' })
    const network = await lab.create('network', { name_label: 'lab' })
    await lab.create('VIF', { VM: vm, network, MAC, device: 'eth0', type: 'paravirtualised' })
    await guest.shell.until('ls /sys/block /sys/class/net', /vda[^]*eth0/)
    await guest.shell.run('echo written-before | dd of=/dev/vda bs=512 count=1 conv=sync,fsync')
    await guest.shell.run(COUNT)
    const [id, count] = [await bootId(), await counter()]
    const [host = ''] = await lab.session.list('host.get_all')
    assert.equal(await lab.session.text('VM.get_resident_on', vm), host)

    await lab.session.ok('VM.suspend', vm, false)

    assert.deepEqual([await state(), await processes()], ['Suspended', []])
    assert.equal(await lab.session.text('VM.get_resident_on', vm), '')
    await lab.restart()
    assert.equal(await state(), 'Suspended')

    await lab.session.ok('VM.resume', vm, false)

    assert.deepEqual([await state(), (await processes()).length], ['Running', 1])
    await goesOnFrom(count)
    assert.equal(await bootId(), id)
    assert.equal(await guest.shell.run('cat /sys/class/net/eth0/address'), MAC)
    await guest.shell.run('echo 3 >/proc/sys/vm/drop_caches')
    assert.match(await guest.shell.run('dd if=/dev/vda bs=512 count=1 2>/dev/null'), /^written-before/)
    assert.equal(await lab.session.text('VM.get_resident_on', vm), host)
  })

  // Proves: VM.suspend, VM.resume, VM.unpause
  it('goes on while its memory is written where that is wanted, and stays paused where that is', {
    timeout: TEST_MS,
  }, async () => {
    const { vm } = guest
    const [id, count] = [await bootId(), await counter()]

    await lab.session.ok('VM.suspend', vm, true)
    assert.equal((await lab.session.fails('VM.start', vm, false))[0], 'VM_BAD_POWER_STATE')
    await lab.restart()
    await lab.session.ok('VM.resume', vm, true)

    assert.equal(await state(), 'Paused')
    await lab.session.ok('VM.unpause', vm)
    assert.equal(await state(), 'Running')
    await goesOnFrom(count)
    assert.equal(await bootId(), id)
    for (const vbd of await lab.session.list('VM.get_VBDs', vm)) await lab.session.ok('VBD.delete', vbd)
    await guest.shell.until('ls /sys/block', /^(?![^]*vda)/)
  })

  // Proves: VM.hard_shutdown
  it('is gone with what was saved of it when its power is cut', { timeout: TEST_MS }, async () => {
    const { vm } = guest
    await lab.session.ok('VM.suspend', vm, false)

    await lab.session.ok('VM.hard_shutdown', vm)

    assert.equal(await state(), 'Halted')
    assert.equal((await lab.session.fails('VM.resume', vm, false))[0], 'VM_BAD_POWER_STATE')
    await lab.session.ok('VM.delete', vm)
  })

  // Proves: VM.suspend, VM.resume
  it('needs no operating system for it', { timeout: TEST_MS }, async () => {
    const { sr, location } = await lab.repository('boot')
    await writeBootImage(join(location, 'boot.raw'))
    await lab.session.ok('SR.scan', sr)
    const [vdi = ''] = await lab.session.list('SR.get_VDIs', sr)
    const vm = await bootableVm(lab.session, 'sector', vdi)
    await lab.session.ok('VM.start', vm, false)
    await printed(lab.session, vm, 'TICK 0002')

    await lab.session.ok('VM.suspend', vm, false)
    await lab.restart()
    await lab.session.ok('VM.resume', vm, false)

    const output = await printed(lab.session, vm, 'TICK 0004')
    assert.equal(output.split('BOOT-OK').length, 2)
    const ticks = Array.from((await serialOutput(lab.session, vm)).matchAll(/TICK (\d+)/g), match => Number(match[1]))
    assert.deepEqual(
      ticks,
      ticks.map((_, index) => index + 1),
    )
    await lab.session.ok('VM.hard_shutdown', vm)
  })
})
