import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { VM } from '../../src/model/index.ts'
import { errors } from '../../src/model/errors.ts'
import { type Lab, startLab } from './lab.ts'
import { fits, type Seen, type State, STEP_NAMES, STEPS, type StepName } from './life-model.ts'
import { assertTrue, settle } from './picture.ts'

/** An ordinary VM, one that does not shut down, and those that end by themselves. */
const NAMES = ['guest', 'vm-that-ignores-shutdown', 'vm-that-crashes', 'vm-that-reboots', 'vm-that-suspends'] as const
const ENDING = new Set<string>(['vm-that-crashes', 'vm-that-reboots', 'vm-that-suspends'])
const SETTLING_MAX = 50

interface Deed {
  readonly vm: number
  readonly step: StepName
}

const deed = fc.record({ vm: fc.nat({ max: NAMES.length - 1 }), step: fc.constantFrom(...STEP_NAMES) })
const clients = fc.array(fc.array(deed, { minLength: 4, maxLength: 12 }), { minLength: 2, maxLength: 4 })

/** What several clients do at once, and what they saw, VM by VM. */
async function play(lab: Lab, vms: readonly string[], plans: readonly (readonly Deed[])[]) {
  const seen = new Map<string, Seen[]>(vms.map(vm => [vm, []]))
  let moment = 0
  const one = async ({ vm: index, step }: Deed) => {
    const vm = vms[index] ?? ''
    const began = moment++
    const { method, args } = STEPS[step]
    const answer = await lab.call(method, vm, ...args)
    const error = answer.ok ? [] : answer.error
    seen.get(vm)?.push({ step, began, ended: moment++, error })
  }
  await Promise.all(
    plans.map(async plan => {
      for (const next of plan) await one(next)
    }),
  )
  return seen
}

/** Looks at everything until no VM is Unknown: its host answers. */
async function calm(lab: Lab): Promise<void> {
  const { store } = lab.services
  lab.shake(0, 0)
  for (let round = 0; round < SETTLING_MAX; round++) {
    await settle(lab)
    if (store.all(VM).every(vm => store.get(VM, vm)?.power_state !== 'Unknown')) break
  }
  for (const sr of await lab.list('SR.get_all')) await lab.ok('SR.scan', sr)
  await assertInStep(lab)
}

/** That records and host tell the same; a guest that ends while they are compared is waited for. */
async function assertInStep(lab: Lab, roundsLeft = SETTLING_MAX): Promise<void> {
  await settle(lab)
  try {
    await assertTrue(lab, ['one'])
  } catch (error) {
    if (roundsLeft === 0) throw error
    await assertInStep(lab, roundsLeft - 1)
  }
}

async function run(plans: readonly (readonly Deed[])[], faults: number, seed: number): Promise<void> {
  const lab = await startLab({ latencyMs: 2, seed, shutdownMs: 40 })
  try {
    const vms: string[] = []
    for (const name_label of NAMES) {
      const vm = await lab.text('VM.create', { name_label, memory_static_max: '16777216' })
      const VDI = await lab.text('VDI.create', { virtual_size: '8' })
      await lab.text('VBD.create', { VM: vm, VDI })
      vms.push(vm)
    }
    lab.shake(faults, seed)

    const seen = await play(lab, vms, plans)

    await calm(lab)
    const codes = [...seen.values()].flat().flatMap(({ error }) => error.slice(0, 1))
    assert.deepEqual(
      codes.filter(code => !(code in errors.table) || code === 'INTERNAL_ERROR'),
      [],
      lab.logged.join('\n'),
    )
    for (const [index, vm] of vms.entries()) check(lab, vm, seen.get(vm) ?? [], NAMES[index] ?? '')
  } finally {
    await lab.close()
  }
}

function check(lab: Lab, vm: string, seen: readonly Seen[], name: string): void {
  const state = lab.services.store.get(VM, vm)?.power_state ?? 'Gone'
  const last = isState(state) ? state : assert.fail(`${name} is ${state}`)
  const inOrder = seen.toSorted((a, b) => a.began - b.began)
  assert.equal(
    fits(inOrder, last, ENDING.has(name)),
    true,
    `${name} is ${last} after ${JSON.stringify(inOrder, null, 1)}`,
  )
}

const isState = (state: string): state is State =>
  ['Halted', 'Paused', 'Running', 'Suspended', 'Gone'].some(known => known === state)

describe('the life of VMs, led by several clients at once', () => {
  for (const [what, rate] of [
    ['a host that does as it is told', 0],
    ['a host of which one call in ten fails', 0.1],
  ] as const) {
    // Proves: VM.start, VM.pause, VM.unpause, VM.suspend, VM.resume, VM.clean_shutdown, VM.clean_reboot, VM.hard_shutdown, VM.hard_reboot, VM.clone
    test(`every answer fits an order of the calls that figure 1.1 allows, on ${what}`, async () => {
      await fc.assert(
        fc.asyncProperty(clients, fc.integer({ min: 1, max: 1_000_000 }), (plans, seed) => run(plans, rate, seed)),
        { numRuns: 60 },
      )
    })
  }
})
