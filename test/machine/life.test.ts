import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import * as fc from 'fast-check'
import { fits, type Seen, type State, STEPS, type StepName } from '../faults/life-model.ts'
import type { Session } from '../support/client.ts'
import { bootableVm, bootImages, printed, qemuProcesses, until } from '../support/machine.ts'
import { Lab, TEST_MS } from './lab.ts'

const VMS = 3
const CLIENTS = 3
const ROUNDS = 8
const DEEDS = 4
const SHUTDOWN_SECONDS = 2
const SEED_MAX = 2 ** 31
const STATES: readonly State[] = ['Halted', 'Paused', 'Running', 'Suspended']

/** What may be asked of a VM here; what it does on its way to another place has tests of its own. */
const WANTED = [
  'start',
  'startPaused',
  'pause',
  'unpause',
  'suspend',
  'suspendLive',
  'resume',
  'resumePaused',
  'cleanShutdown',
  'cleanReboot',
  'hardShutdown',
  'hardReboot',
] as const satisfies readonly StepName[]

/** What the draft lets a host that does as it is told answer. */
const ORDINARY = ['VM_BAD_POWER_STATE', 'VM_SHUTDOWN_TIMEOUT']

/** A call to come: `step` counts among those that the figure allows at that moment, or among all. */
interface Deed {
  readonly vm: number
  readonly step: number
  readonly isAllowed: boolean
}

const deed = fc.record({
  vm: fc.nat({ max: VMS - 1 }),
  step: fc.nat(),
  isAllowed: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
})
const round = fc.array(fc.array(deed, { minLength: DEEDS, maxLength: DEEDS }), {
  minLength: CLIENTS,
  maxLength: CLIENTS,
})

describe('the life of real guests, led by several clients at once', () => {
  let lab: Lab
  let sessions: readonly Session[]
  let vms: readonly string[]
  const seed = randomInt(SEED_MAX)
  const seen = new Map<string, Seen[]>()
  let moment = 0

  before(async () => {
    lab = await Lab.open(async folder => {
      const config = join(folder, 'config.json')
      await writeFile(config, JSON.stringify({ shutdownTimeoutSeconds: SHUTDOWN_SECONDS }))
      return { options: ['--config', config] }
    })
    sessions = await Promise.all(Array.from({ length: CLIENTS }, () => lab.login()))
    const images = await bootImages(lab.session, join(lab.folder, 'boot'), VMS)
    vms = await Promise.all(images.map((image, number) => bootableVm(lab.session, `guest ${number}`, image)))
    for (const vm of vms) seen.set(vm, [])
  })
  after(() => lab.close())

  const power = (vm: string, session = lab.session) => session.text('VM.get_power_state', vm)

  async function act(session: Session, { vm: index, step, isAllowed }: Deed): Promise<void> {
    const vm = vms[index] ?? ''
    const state = await power(vm, session)
    const allowed = WANTED.filter(name => STEPS[name].from.some(from => from === state))
    const choice = isAllowed && allowed.length > 0 ? allowed : WANTED
    const name = choice[step % choice.length] ?? 'start'
    const { method, args } = STEPS[name]
    const began = moment++
    const answer = await session.client.call(method, session.ref, vm, ...args)
    const error = answer.status === 'Success' ? [] : answer.error
    seen.get(vm)?.push({ step: name, began, ended: moment++, error })
  }

  const story = (vm: string) =>
    `seed ${seed}; ${vm}: ${JSON.stringify(
      seen.get(vm)?.toSorted((a, b) => a.began - b.began),
      null,
      1,
    )}`

  /** What the host shows of a VM, and what its record says; one whose shutdown was asked for too late may yet end. */
  async function assertTrue(vm: string): Promise<void> {
    let difference = ''
    const look = async () => {
      const [state, residence] = [await power(vm), await lab.session.text('VM.get_resident_on', vm)]
      const files = await readdir(join(lab.data, 'qemu', vm))
      const processes = await qemuProcesses(join(lab.data, 'qemu', vm))
      const isAlive = state === 'Running' || state === 'Paused'
      const told = [isAlive ? 1 : 0, isAlive, state === 'Suspended', false]
      const shown = [
        processes.length,
        residence !== '',
        files.includes('memory') && files.includes('suspension.json'),
        files.some(file => file.includes('partial')),
      ]
      difference = `${state}, but ${JSON.stringify({ shown, files })}`
      return told.join() === shown.join() && state !== 'ShuttingDown' && state === (await power(vm)) ? true : undefined
    }
    await until('the record to tell what QEMU shows', look).catch(cause =>
      assert.fail(`${String(cause)}: ${difference}; ${story(vm)}`),
    )
  }

  async function assertFits(vm: string): Promise<void> {
    const told = await power(vm)
    const last = STATES.find(state => state === told) ?? assert.fail(`${told}; ${story(vm)}`)
    const calls = (seen.get(vm) ?? []).toSorted((a, b) => a.began - b.began)
    assert.equal(fits(calls, last, false, ['Halted']), true, `no order of the calls explains ${last}; ${story(vm)}`)
    const strange = calls.filter(({ error: [code] }) => code !== undefined && !ORDINARY.includes(code))
    assert.deepEqual(strange, [], story(vm))
  }

  // Proves: VM.start, VM.pause, VM.unpause, VM.suspend, VM.resume, VM.clean_shutdown, VM.clean_reboot, VM.hard_shutdown, VM.hard_reboot, VM.power_state, VM.resident_on
  it('fits an order of the calls that figure 1.1 allows, and is what QEMU shows', { timeout: TEST_MS }, async () => {
    const rounds = fc.sample(round, { seed, numRuns: ROUNDS })
    for (const vm of vms.slice(1)) await lab.session.ok('VM.start', vm, false)
    for (const vm of vms.slice(1)) seen.get(vm)?.push({ step: 'start', began: moment++, ended: moment++, error: [] })
    for (const vm of vms.slice(1)) await printed(lab.session, vm, 'TICK')

    for (const plans of rounds) {
      await Promise.all(
        plans.map(async (plan, client) => {
          for (const next of plan) await act(sessions[client] ?? lab.session, next)
        }),
      )
      for (const vm of vms) await assertTrue(vm)
      for (const vm of vms) await assertFits(vm)
    }

    for (const vm of vms) {
      if ((await power(vm)) !== 'Halted') await lab.session.ok('VM.hard_shutdown', vm)
      await assertTrue(vm)
    }
    assert.deepEqual(await qemuProcesses(lab.data), [])
    const answered = [...seen.values()].flat()
    assert(answered.filter(({ error }) => error.length === 0).length > VMS * ROUNDS, `seed ${seed}`)
  })
})
