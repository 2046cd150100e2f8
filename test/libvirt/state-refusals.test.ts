import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DomainState } from '../../src/drivers/driver.ts'
import { profileOf } from '../../src/libvirt/profile.ts'
import type { Step } from '../../src/libvirt/state-refusals.ts'

const STATES = ['halted', 'running', 'paused', 'crashed', 'suspended', 'unknown'] as const satisfies DomainState[]

/** What is said of a domain in each state, in their order; a dash where nothing is refused. */
const said = (driver: string, step: Step): string[] =>
  STATES.map(state => {
    const refusal = profileOf(driver).refusals[step](state)
    return refusal === undefined ? '-' : `${refusal.code} ${refusal.text('web')}`
  })

const OFF = '55 domain is not running'
const ON = '55 domain is already running'
const whereOff = (text: string) => [text, '-', '-', '-', text, '-']
const whereOn = (text: string) => ['-', text, text, text, '-', text]
const unless = (wanted: DomainState, text: string) => STATES.map(state => (state === wanted ? '-' : text))

test(`what libvirt's driver of QEMU refuses of which domain`, () => {
  for (const step of ['suspend', 'reboot', 'reset', 'destroy', 'managedSave'] as const) {
    assert.deepEqual(said('qemu', step), whereOff(OFF), step)
  }
  assert.deepEqual(said('qemu', 'create'), whereOn(ON))
  assert.deepEqual(said('qemu', 'resume'), [OFF, ON, '-', '-', OFF, '-'])
  assert.deepEqual(said('qemu', 'shutdown'), unless('running', OFF))
  const missing = '38 Failed to remove managed save file: No such file or directory'
  assert.deepEqual(said('qemu', 'managedSaveRemove'), unless('suspended', missing))
})

test(`what libvirt's test driver refuses of which domain`, () => {
  for (const step of ['reboot', 'reset', 'destroy', 'managedSave'] as const) {
    assert.deepEqual(said('memory', step), whereOff(OFF), step)
  }
  assert.deepEqual(said('memory', 'create'), whereOn(`1 Domain 'web' is already running`))
  assert.deepEqual(said('memory', 'suspend'), unless('running', `1 domain 'web' not running`))
  assert.deepEqual(said('memory', 'resume'), unless('paused', `1 domain 'web' not paused`))
  assert.deepEqual(said('memory', 'shutdown'), unless('running', `1 domain 'web' not running`))
  assert.deepEqual(
    said('memory', 'managedSaveRemove'),
    Array.from(STATES, () => '-'),
  )
})

test(`what libvirt's driver of Hyper-V refuses of which domain`, () => {
  for (const step of ['suspend', 'reboot', 'reset'] as const) {
    assert.deepEqual(said('hyperv', step), unless('running', '55 Domain is not active'), step)
  }
  for (const step of ['destroy', 'managedSave'] as const) {
    assert.deepEqual(said('hyperv', step), whereOff('55 Domain is not active or is in state transition'), step)
  }
  assert.deepEqual(said('hyperv', 'create'), whereOn('55 Domain is already active or is in state transition'))
  assert.deepEqual(said('hyperv', 'resume'), unless('paused', '55 Domain is not paused'))
  const shutdown = '55 Domain is not active or in state transition'
  assert.deepEqual(said('hyperv', 'shutdown'), unless('running', shutdown))
  assert.deepEqual(said('hyperv', 'managedSaveRemove'), unless('suspended', '55 Domain has no managed save image'))
})
