import assert from 'node:assert/strict'
import { copyFile, mkdir, readdir, rename, rmdir, truncate, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import process from 'node:process'
import { after, before, describe, it } from 'node:test'
import { writeBootImage } from '../guests/boot-sector.ts'
import { networkProcesses, printed, serialOutput, until } from '../support/machine.ts'
import { canMount, fill, Mounts } from '../support/mounts.ts'
import { asString, type Value } from '../support/value.ts'
import { footprint, told } from './picture.ts'
import { Lab, run, TEST_MS, type Values } from './lab.ts'

type Mend = () => Promise<void>
type Call = readonly [method: string, ...params: Value[]]

/** A VM with two disks, the first of which boots. */
interface Victim {
  readonly vm: string
  readonly second: string
  readonly folder: string
}

const SMALL_MIB = 8
const RUBBISH = 'no image at all\n'.repeat(1000)
const CAN_MOUNT = canMount()

/** Resolves at the very moment at which a domain is noted to be saved, which for a small one is over soon. */
async function saving(folder: string): Promise<void> {
  const deadline = performance.now() + TEST_MS
  while (!(await readdir(folder)).includes('suspension.json')) {
    assert.ok(performance.now() < deadline, 'the saving does not begin')
  }
}

describe('what the world does to real guests, through XML-RPC alone', () => {
  let lab: Lab
  let tpm: Values
  let count = 0
  const mounts = new Mounts()

  before(async () => {
    lab = await Lab.open()
    const emulated = { TPM_instance: '1' }
    tpm = await run('which', 'swtpm').then(
      () => emulated,
      () => ({}),
    )
  })
  after(async () => {
    await mounts.close()
    await lab.close()
  })

  const folderOf = (vm: string) => join(lab.data, 'qemu', vm)

  const small = (folder: string) => mounts.small(folder, SMALL_MIB)

  async function victim(prepare: (folder: string) => Promise<void> = async () => undefined): Promise<Victim> {
    const name = `victim-${count++}`
    const folder = join(lab.folder, name)
    await mkdir(folder)
    await prepare(folder)
    await writeBootImage(join(folder, `${name}.raw`))
    const sr = await lab.create('SR', { type: 'dir', location: folder, name_label: name })
    const [first = ''] = await lab.session.list('SR.get_VDIs', sr)
    const second = await lab.create('VDI', { SR: sr, virtual_size: '2048', name_label: `${name} second` })
    const vm = await lab.create('VM', { name_label: name, memory_static_max: '16777216', ...tpm })
    for (const VDI of [first, second]) await lab.create('VBD', { VM: vm, VDI, driver: 'paravirtualised' })
    return { vm, second, folder }
  }

  async function running(prepare?: (folder: string) => Promise<void>): Promise<Victim> {
    const made = await victim(prepare)
    await lab.session.ok('VM.start', made.vm, false)
    await printed(lab.session, made.vm, 'TICK')
    return made
  }

  const state = (vm: string) => lab.session.text('VM.get_power_state', vm)

  /** That a call fails twice without a trace while something is wrong, and succeeds afterwards. Answers its value. */
  async function withstands([method, ...params]: Call, spoil: () => Promise<Mend>, error: RegExp): Promise<Value> {
    const mend = await spoil()
    const [files, records] = [await footprint(lab.folder), await told(lab.session)]
    for (const turn of ['first', 'second']) {
      const answer = await lab.session.fails(method, ...params)
      assert.match(answer.join(' '), error, turn)
      assert.deepEqual(await footprint(lab.folder), files, `${turn}: ${answer.join(' ')}`)
      assert.deepEqual(await told(lab.session), records, `${turn}: ${answer.join(' ')}`)
    }
    await mend()
    return lab.session.ok(method, ...params)
  }

  async function fileOf({ folder, second }: Victim): Promise<string> {
    const name = (await readdir(folder)).find(file => file.startsWith(second)) ?? assert.fail(`no file of ${second}`)
    return join(folder, name)
  }

  /** Replaces a file by rubbish of the same name. */
  async function ruin(file: string): Promise<Mend> {
    const kept = `${file}.kept`
    await rename(file, join(lab.folder, basename(kept)))
    await writeFile(file, RUBBISH)
    return () => rename(join(lab.folder, basename(kept)), file)
  }

  async function hide(file: string): Promise<Mend> {
    const kept = join(lab.folder, `${basename(file)}.hidden`)
    await rename(file, kept)
    return () => rename(kept, file)
  }

  /** The guest executes: it prints on. */
  async function goesOn(vm: string): Promise<void> {
    await printed(lab.session, vm, 'TICK', (await serialOutput(lab.session, vm)).length)
  }

  const halt = (vm: string) => lab.session.ok('VM.hard_shutdown', vm)

  for (const [what, spoil] of [
    ['is broken', ruin],
    ['is gone', hide],
  ] as const) {
    // Proves: VM.start
    it(`is not started while its second image ${what}, and leaves no trace of the trial`, {
      timeout: TEST_MS,
    }, async () => {
      const made = await running()
      await halt(made.vm)
      const file = await fileOf(made)

      await withstands(['VM.start', made.vm, false], () => spoil(file), /^DRIVER_FAILED .*/)

      assert.equal(await state(made.vm), 'Running')
      await goesOn(made.vm)
      await halt(made.vm)
    })
  }

  for (const [gateway, netmask, error] of [
    ['nonsense', '255.255.255.0', /^INVALID_VALUE default_gateway nonsense/],
    ['10.9.8.255', '255.255.255.0', /^DRIVER_FAILED .*10\.9\.8\.255/],
    ['10.9.8.1', '255.0.255.0', /^DRIVER_FAILED .*255\.0\.255\.0/],
  ] as const) {
    // Proves: VM.start, network.default_gateway, network.default_netmask
    it(`is not started in a network with the gateway ${gateway} and the netmask ${netmask}`, {
      timeout: TEST_MS,
    }, async () => {
      const { vm } = await running()
      await halt(vm)
      const values = { name_label: 'odd', default_gateway: gateway, default_netmask: netmask }
      const network = await lab.create('network', values)
      const vif = await lab.create('VIF', { VM: vm, network, type: 'paravirtualised' })
      const spoil = async () => async () => {
        await lab.session.ok('network.set_default_gateway', network, '10.9.8.1')
        await lab.session.ok('network.set_default_netmask', network, '255.255.255.0')
      }

      await withstands(['VM.start', vm, false], spoil, error)

      assert.equal(await lab.session.ok('VIF.get_currently_attached', vif), true)
      await halt(vm)
      await until('the network to be gone', async () =>
        (await networkProcesses(lab.data)).length === 0 ? true : undefined,
      )
    })
  }

  // Proves: VM.clone
  it('is not cloned, not in part either, while its second image cannot be', { timeout: TEST_MS }, async () => {
    const made = await victim()
    const file = await fileOf(made)
    const records = await told(lab.session)
    const mend = await ruin(file)
    await lab.session.fails('VM.clone', made.vm, 'clone')
    await mend()
    assert.deepEqual(await told(lab.session), records)
    // The first image has been made ready to be shared, once and for all.
    const names = (await readdir(made.folder)).filter(name => !name.startsWith('.base-') && name !== basename(file))
    assert.deepEqual(names, [`${basename(made.folder)}.qcow2`])

    const clone = await withstands(['VM.clone', made.vm, 'clone'], () => ruin(file), /^DRIVER_FAILED .*qcow2/)

    for (const vm of [made.vm, asString(clone)]) await lab.session.ok('VM.start', vm, false)
    for (const vm of [made.vm, asString(clone)]) await printed(lab.session, vm, 'TICK')
    for (const vm of [made.vm, asString(clone)]) await halt(vm)
  })

  // Proves: VBD.VM
  it('is not given a disk of rubbish while it runs', { timeout: TEST_MS }, async () => {
    const made = await running()
    const spare = await victim()
    const values = { VM: made.vm, VDI: spare.second, driver: 'paravirtualised' }
    await lab.session.ok('VM.delete', spare.vm)
    const file = await fileOf(spare)

    const vbd = await withstands(['VBD.create', values], () => ruin(file), /^DRIVER_FAILED /)

    assert.equal(await lab.session.ok('VBD.get_currently_attached', asString(vbd)), true)
    await goesOn(made.vm)
    await halt(made.vm)
  })

  // Proves: VM.suspend
  it('runs on where something is in the way of its memory', { timeout: TEST_MS }, async () => {
    const { vm } = await running()
    const obstacle = join(folderOf(vm), 'memory.partial')
    const spoil = async () => {
      await mkdir(obstacle)
      return () => rmdir(obstacle)
    }

    await withstands(['VM.suspend', vm, false], spoil, /^DRIVER_FAILED /)

    assert.equal(await state(vm), 'Suspended')
    await lab.session.ok('VM.resume', vm, false)
    await goesOn(vm)
    await halt(vm)
  })

  // Proves: VM.suspend, VM.power_state
  it('is Halted, and nothing of its memory kept, where its QEMU is killed while it is saved', {
    timeout: TEST_MS,
  }, async () => {
    const { vm } = await running()
    const pid = await lab.process(vm)
    const names = () => readdir(folderOf(vm))

    const answer = lab.session.client.call('VM.suspend', lab.session.ref, vm, false)
    await saving(folderOf(vm))
    process.kill(pid, 'SIGKILL')

    assert.equal((await answer).status, 'Failure')
    assert.equal(await state(vm), 'Halted')
    const left = await names()
    assert.deepEqual(
      left.filter(name => /^(memory|suspension)/.test(name)),
      [],
    )
    await lab.session.ok('VM.start', vm, false)
    await goesOn(vm)
    await halt(vm)
  })

  // Proves: VM.resume
  it('stays suspended while its memory is not whole', { timeout: TEST_MS }, async () => {
    const { vm } = await running()
    await lab.session.ok('VM.suspend', vm, false)
    const memory = join(folderOf(vm), 'memory')
    const kept = join(lab.folder, 'memory.kept')
    const spoil = async () => {
      await copyFile(memory, kept)
      await truncate(memory, 10_000)
      return () => copyFile(kept, memory)
    }

    await withstands(['VM.resume', vm, false], spoil, /^DRIVER_FAILED .*saved memory/)

    assert.equal(await state(vm), 'Running')
    await goesOn(vm)
    await halt(vm)
  })

  // Proves: VM.resume
  it('keeps its images while it is suspended, and is not resumed without them', { timeout: TEST_MS }, async () => {
    const made = await running()
    await lab.session.ok('VM.suspend', made.vm, false)
    const file = await fileOf(made)

    const [, vbd = ''] = await lab.session.list('VM.get_VBDs', made.vm)
    const refused: readonly (readonly [string, Call])[] = [
      ['OBJECT_IN_USE', ['VDI.delete', made.second]],
      ['VDI_IN_USE', ['VDI.set_virtual_size', made.second, '4096']],
      ['VM_BAD_POWER_STATE', ['VBD.delete', vbd]],
      ['VM_BAD_POWER_STATE', ['VM.set_VBDs', made.vm, []]],
    ]
    const records = await told(lab.session)
    for (const [code, [method, ...params]] of refused) {
      assert.equal((await lab.session.fails(method, ...params))[0], code, method)
    }
    assert.deepEqual(await told(lab.session), records)
    await withstands(['VM.resume', made.vm, false], () => hide(file), /^DRIVER_FAILED /)

    assert.equal(await state(made.vm), 'Running')
    await goesOn(made.vm)
    await halt(made.vm)
  })

  if (CAN_MOUNT) {
    // Proves: VDI.snapshot, VM.clone
    it('gets no image in a repository that is full', { timeout: TEST_MS }, async () => {
      const { vm, second, folder } = await victim(small)
      const sr = await lab.session.text('VDI.get_SR', second)
      const calls: readonly Call[] = [
        ['VDI.create', { SR: sr, virtual_size: '2048' }],
        ['VDI.snapshot', second],
        ['VM.clone', vm, 'clone'],
      ]

      for (const call of calls) await withstands(call, () => fill(folder), /^DRIVER_FAILED .*[Nn]o space left/)

      assert.equal((await lab.session.list('SR.get_VDIs', sr)).length, 6)
      await lab.session.ok('VM.start', vm, false)
      await goesOn(vm)
      await halt(vm)
    })

    // Proves: VDI.snapshot, VM.clone
    it('gets and loses no image in a repository that is read-only', { timeout: TEST_MS }, async () => {
      const { vm, second, folder } = await running()
      const sr = await lab.session.text('VDI.get_SR', second)
      const spare = await lab.create('VDI', { SR: sr, virtual_size: '2048' })
      const calls: readonly Call[] = [
        ['VDI.create', { SR: sr, virtual_size: '2048' }],
        ['VDI.snapshot', second],
        ['VDI.delete', spare],
      ]

      for (const call of calls) await withstands(call, () => mounts.readOnly(folder), /^DRIVER_FAILED .*read-only/i)
      await goesOn(vm)
      await halt(vm)
      await withstands(['VM.clone', vm, 'clone'], () => mounts.readOnly(folder), /^DRIVER_FAILED .*read-only/i)
    })

    for (const [what, isFull, error] of [
      ['is full', true, /^DRIVER_FAILED .*no space left/i],
      ['is read-only', false, /^DRIVER_FAILED .*read-only/i],
    ] as const) {
      // Proves: VM.suspend
      it(`runs on where the place for its memory ${what}`, { timeout: TEST_MS }, async () => {
        const { vm } = await victim()
        const folder = folderOf(vm)
        const kept = join(lab.folder, `${vm}.kept`)
        await run('cp', '-a', folder, kept)
        await small(folder)
        await run('cp', '-a', `${kept}/.`, folder)
        await lab.session.ok('VM.start', vm, false)
        await printed(lab.session, vm, 'TICK')

        for (const isLive of [true, false]) {
          const spoil = () => (isFull ? fill(folder) : mounts.readOnly(folder))
          await withstands(['VM.suspend', vm, isLive], spoil, error)
          await lab.session.ok('VM.resume', vm, false)
          await goesOn(vm)
        }

        await halt(vm)
      })
    }
  }
})
