import assert from 'node:assert/strict'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { release } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { writeBootImage } from '../guests/boot-sector.ts'
import { atEnd } from '../support/at-end.ts'
import { bootableVm, reached, until } from '../support/machine.ts'
import { asString, asStruct } from '../support/value.ts'
import { Lab, run, TEST_MS } from './lab.ts'

/** Writes what it was called with beside itself, and that is all. */
const HARMLESS = '#!/bin/sh\necho "$@" >>"$0.calls"\n'

describe('the machine itself, through XML-RPC alone', () => {
  let lab: Lab
  let host: string
  let vm: string

  before(async () => {
    lab = await Lab.open(async folder => {
      const program = join(folder, 'power')
      await writeFile(program, HARMLESS)
      await chmod(program, 0o755)
      const hostPower = { shutdown: [program, 'off', 'now'], reboot: [program, 'again'] }
      await writeFile(join(folder, 'config.json'), JSON.stringify({ hostPower }))
      return { options: ['--config', join(folder, 'config.json')] }
    })
    host = (await lab.session.list('host.list'))[0] ?? ''
    const { sr, location } = await lab.repository('boot')
    await writeBootImage(join(location, 'boot.raw'), 'busy')
    await lab.session.ok('SR.scan', sr)
    vm = await bootableVm(lab.session, 'busy', (await lab.session.list('SR.get_VDIs', sr))[0] ?? '')
  })
  after(() => lab.close())

  const cpus = () => lab.session.list('host.get_host_CPUs', host)
  const calls = () => readFile(join(lab.folder, 'power.calls'), 'utf8').catch(() => '')

  // Proves: host.list, host.software_version, host.live, host.uri
  it('says what runs on it', async () => {
    const versions = asStruct(await lab.session.ok('host.get_software_version', host))

    assert.equal(versions['linux'], release())
    assert.match(await run('qemu-system-x86_64', '--version'), new RegExp(`version ${asString(versions['qemu'])}`))
    assert.equal(await lab.session.ok('host.get_live', host), true)
    assert.equal(await lab.session.text('host.get_uri', host), 'qemu:///system')
  })

  // Proves: host.host_CPUs, host_cpu.host, host_cpu.number, host_cpu.features, host_cpu.utilisation
  it('has the CPUs that its operating system counts, and tells how busy they are', { timeout: TEST_MS }, async () => {
    const cpuinfo = await readFile('/proc/cpuinfo', 'utf8')
    const numbers = Array.from(cpuinfo.matchAll(/^processor\s*:\s*(\d+)$/gm), match => match[1] ?? '')
    const flags = (/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1] ?? '').split(' ')

    const refs = await cpus()

    const told = await Promise.all(refs.map(ref => lab.session.text('host_cpu.get_number', ref)))
    assert.deepEqual(told.toSorted(), numbers.toSorted())
    for (const ref of refs) {
      assert.equal(await lab.session.text('host_cpu.get_host', ref), host)
      const features = await lab.session.list('host_cpu.get_features', ref)
      for (const [name, flag] of [
        ['FPU', 'fpu'],
        ['XMM2', 'sse2'],
        ['LM', 'lm'],
        ['CX16', 'cx16'],
      ] as const) {
        assert.equal(features.includes(name), flags.includes(flag), name)
      }
    }
    await lab.session.ok('VM.start', vm, false)
    const loads = async () => Promise.all(refs.map(ref => lab.number('host_cpu.get_utilisation', ref)))
    await until('a CPU to be busy', async () => ((await loads()).some(load => load > 0.1) ? true : undefined))
    assert((await loads()).every(load => load >= 0 && load <= 1))
  })

  // Proves: host.resident_VMs, VM.resident_on
  it('has the VMs that run on it', { timeout: TEST_MS }, async () => {
    assert.deepEqual(await lab.session.list('host.get_resident_VMs', host), [vm])
    assert.equal(await lab.session.text('VM.get_resident_on', vm), host)
    await lab.session.ok('VM.suspend', vm, false)
    assert.deepEqual(await lab.session.list('host.get_resident_VMs', host), [])
    await lab.session.ok('VM.resume', vm, false)
    assert.deepEqual(await lab.session.list('host.get_resident_VMs', host), [vm])
  })

  // Proves: host.enable, host.disable, host.enabled
  it('starts no VM while it is disabled, and those that run go on', { timeout: TEST_MS }, async () => {
    assert.equal((await lab.session.fails('host.shutdown', host))[0], 'HOST_NOT_DISABLED')

    await lab.session.ok('host.disable', host)

    assert.equal(await lab.session.ok('host.get_enabled', host), false)
    assert.equal(await lab.session.text('VM.get_power_state', vm), 'Running')
    for (const message of ['shutdown', 'reboot']) {
      assert.deepEqual(await lab.session.fails(`host.${message}`, host), ['HOST_HAS_RESIDENT_VMS', host])
    }
    await lab.session.ok('VM.hard_shutdown', vm)
    assert.deepEqual(await lab.session.fails('VM.start', vm, false), ['HOST_DISABLED', host])
    await lab.session.ok('host.enable', host)
    await lab.session.ok('VM.start', vm, false)
    await lab.session.ok('VM.hard_shutdown', vm)
    await reached(lab.session, vm, 'Halted')
  })

  // Proves: host.shutdown, host.reboot
  it('is shut down and rebooted by the programs that its operator names', { timeout: TEST_MS }, async () => {
    await lab.session.ok('host.disable', host)
    assert.equal(await calls(), '')

    await lab.session.ok('host.reboot', host)
    assert.equal(await calls(), 'again\n')
    await lab.session.ok('host.shutdown', host)
    assert.equal(await calls(), 'again\noff now\n')
  })

  it('stays up while a VM runs on another host of the same machine', { timeout: TEST_MS }, async () => {
    const before = await calls()
    const other = await lab.session.text('host.add', 'memory:///neighbour?vms=1')
    const neighbour = await lab.session.text('VM.create', { name_label: 'neighbour', affinity: other })
    await lab.session.ok('VM.start', neighbour, false)

    for (const message of ['shutdown', 'reboot']) {
      assert.deepEqual(await lab.session.fails(`host.${message}`, host), ['HOST_HAS_RESIDENT_VMS', other])
    }

    assert.equal(await calls(), before)
    await lab.session.ok('VM.hard_shutdown', neighbour)
    await lab.session.ok('host.shutdown', host)
    assert.notEqual(await calls(), before)
  })

  // Proves: host.shutdown, host.reboot
  it('is neither shut down nor rebooted where its operator names no programs', { timeout: TEST_MS }, async context => {
    const other = await Lab.open()
    atEnd(context, () => other.close())
    const [machine = ''] = await other.session.list('host.list')
    await other.session.ok('host.disable', machine)

    for (const message of ['shutdown', 'reboot']) {
      assert.equal((await other.session.fails(`host.${message}`, machine))[0], 'OPERATION_NOT_ALLOWED')
    }
  })
})
