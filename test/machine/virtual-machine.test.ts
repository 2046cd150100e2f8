import assert from 'node:assert/strict'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { GREETING, TICK } from '../guests/boot-sector.ts'
import * as linux from '../guests/linux.ts'
import { ApiClient, type Session } from '../support/client.ts'
import {
  bootableVm,
  bootImages,
  endGuests,
  printed,
  qemuProcesses,
  reached,
  serialOutput,
  until,
} from '../support/machine.ts'
import { ADMIN, type Server, startServer } from '../support/server.ts'
import { asString, asStrings, asStruct } from '../support/value.ts'

describe('a virtual machine, through XML-RPC alone', () => {
  let folder: string
  let server: Server
  let images: readonly string[]
  const clients: ApiClient[] = []
  const login = (endpoint: Server['http']): Promise<Session> => {
    const client = new ApiClient(endpoint)
    clients.push(client)
    return client.login(ADMIN.name, ADMIN.password)
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'polyvisor-vm-'))
    const config = join(folder, 'config.json')
    await writeFile(config, JSON.stringify({ shutdownTimeoutSeconds: 5 }))
    const options = ['--config', config]
    server = await startServer({ data: join(folder, 'data'), hosts: ['qemu:///system'], options })
    images = await bootImages(await login(server.http), join(folder, 'images'), 4)
  })

  after(async () => {
    for (const client of clients) client.close()
    await server.stop()
    await endGuests(folder)
    await rm(folder, { recursive: true, force: true })
  })

  for (const [index, transport] of (['http', 'https', 'unix'] as const).entries()) {
    it(`lives its life over ${transport}`, async () => {
      const session = await login(server[transport])
      const vm = await bootableVm(session, `over ${transport}`, images[index] ?? '')

      await session.ok('VM.start', vm, false)

      assert.equal(await session.text('VM.get_power_state', vm), 'Running')
      await printed(session, vm, GREETING)
      const log = join(server.data, 'qemu', vm, 'serial.log')
      assert.match(await readFile(log, 'latin1'), new RegExp(GREETING))
      const [host] = await session.list('host.get_all')
      assert.equal(await session.text('VM.get_resident_on', vm), host)
      assert.deepEqual(
        (await session.list('host.get_resident_VMs', host ?? '')).filter(ref => ref === vm),
        [vm],
      )

      await session.ok('VM.pause', vm)
      assert.equal(await session.text('VM.get_power_state', vm), 'Paused')
      assert.deepEqual((await session.fails('VM.pause', vm)).slice(2), ['Running', 'Paused'])
      const frozen = await serialOutput(session, vm)
      await session.ok('VM.unpause', vm)
      assert.equal(await session.text('VM.get_power_state', vm), 'Running')
      await printed(session, vm, TICK, frozen.length)

      await session.ok('VM.hard_shutdown', vm)
      assert.equal(await session.text('VM.get_power_state', vm), 'Halted')
      assert.equal(await session.text('VM.get_resident_on', vm), '')
      assert.deepEqual(await qemuProcesses(join(server.data, 'qemu', vm)), [])

      const [vbd] = await session.list('VM.get_VBDs', vm)
      await session.ok('VM.delete', vm)
      assert.deepEqual(await session.fails('VM.get_power_state', vm), ['HANDLE_INVALID', 'VM', vm])
      assert.deepEqual(await session.fails('VBD.get_mode', vbd ?? ''), ['HANDLE_INVALID', 'VBD', vbd])
      await assert.rejects(access(join(server.data, 'qemu', vm)), { code: 'ENOENT' })
    })
  }

  it('lives its life through tasks', async () => {
    const session = await login(server.http)
    const vm = await finished(
      session,
      await session.text('Async.VM.create', { name_label: 'by task', memory_static_max: '16777216' }),
    )
    await finished(session, await session.text('Async.VBD.create', { VM: vm, VDI: images[3] ?? '' }))

    for (const [call, state, ...args] of [
      ['VM.start', 'Paused', true],
      ['VM.unpause', 'Running'],
      ['VM.pause', 'Paused'],
      ['VM.hard_reboot', 'Running'],
      ['VM.clean_shutdown', 'Halted'],
      ['VM.start', 'Running', false],
      ['VM.clean_reboot', 'Running'],
      ['VM.hard_shutdown', 'Halted'],
    ] as const) {
      // A guest does as it is told once it is up, and a reset that meets the firmware at work may be its end.
      const isToBeUp = call.includes('clean') || call === 'VM.pause'
      if (isToBeUp) await printed(session, vm, TICK, (await serialOutput(session, vm)).length)
      await finished(session, await session.text(`Async.${call}`, vm, ...args))
      assert.equal(await session.text('VM.get_power_state', vm), state, call)
    }

    await finished(session, await session.text('Async.VM.delete', vm))
    assert.deepEqual(
      (await session.list('VM.get_all')).filter(ref => ref === vm),
      [],
    )
  })

  it('boots a Linux kernel and initrd with its command line', async () => {
    const session = await login(server.http)
    const initrd = join(folder, 'initrd')
    await linux.writeInitrd(initrd)
    const vm = await session.text('VM.create', {
      'name/label': 'linux',
      'memory/static_max': String(linux.MEMORY_BYTES),
      boot_method: 'kernel_external',
      'kernel/kernel': await linux.kernel(),
      'kernel/initrd': initrd,
      'kernel/args': `${linux.CONSOLE} polyvisor.word=hello`,
    })

    await session.ok('VM.start', vm, false)

    const output = await printed(session, vm, linux.GREETING)
    assert.match(output, /polyvisor\.word=hello/)
    await session.ok('VM.hard_shutdown', vm)
    await session.ok('VM.delete', vm)
  })

  it('is ShuttingDown to others while its guest takes its time, and Running again where the guest ignores it', async () => {
    const session = await login(server.http)
    const [deaf] = await bootImages(session, join(folder, 'deaf'), 1, 'deaf')
    const vm = await bootableVm(session, 'deaf', deaf ?? '')
    await session.ok('VM.start', vm, false)
    await printed(session, vm, GREETING)

    const task = await session.text('Async.VM.clean_shutdown', vm)

    await reached(session, vm, 'ShuttingDown')
    assert.equal((await session.fails('VM.pause', vm))[0], 'VM_BAD_POWER_STATE')
    const [code] = await failed(session, task)
    assert.equal(code, 'VM_SHUTDOWN_TIMEOUT')
    assert.equal(await session.text('VM.get_power_state', vm), 'Running')
    await session.ok('VM.hard_shutdown', vm)
  })

  it('does not start where it is to boot from what it does not have, and says which', async () => {
    const session = await login(server.http)
    const floppy = await session.text('VM.create', { bios_boot: 'floppy' })
    const cd = await session.text('VM.create', { bios_cdrom: join(folder, 'none.iso') })
    const kernel = await session.text('VM.create', { boot_method: 'kernel_external' })

    const first = async (vm: string) => (await session.fails('VM.start', vm, false)).slice(0, 3)

    assert.deepEqual(await first(floppy), ['VALUE_NOT_SUPPORTED', 'bios_boot', 'floppy'])
    assert.deepEqual(await first(cd), ['DRIVER_FAILED', 'qemu', 'VM.start'])
    assert.deepEqual(await first(kernel), ['INVALID_VALUE', 'kernel_kernel', ''])
  })

  it('does not start where its kernel is missing, and says which', async () => {
    const session = await login(server.http)
    const kernel = join(folder, 'no-such-kernel')
    const vm = await session.text('VM.create', { boot_method: 'kernel_external', kernel_kernel: kernel })

    const error = await session.fails('VM.start', vm, false)

    assert.deepEqual(error.slice(0, 3), ['DRIVER_FAILED', 'qemu', 'VM.start'])
    assert.match(error[3] ?? '', new RegExp(kernel))
    assert.equal(await session.text('VM.get_power_state', vm), 'Halted')
    await session.ok('VM.delete', vm)
  })
})

/** Polls a task to its end; answers its result. */
async function finished(session: Session, task: string): Promise<string> {
  const result = asStruct(await ended(session, task))
  assert.equal(result['Status'], 'Success', JSON.stringify(result))
  return asString(result['Value'])
}

async function failed(session: Session, task: string): Promise<readonly string[]> {
  const result = asStruct(await ended(session, task))
  assert.equal(result['Status'], 'Failure')
  return asStrings(result['ErrorDescription'])
}

function ended(session: Session, task: string) {
  return until('the task to end', async () => {
    const { Progress, Result } = asStruct(await session.ok('Async.Task.GetStatus', task))
    return Progress === 100n ? Result : undefined
  })
}
