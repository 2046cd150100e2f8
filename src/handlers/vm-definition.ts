/** Making VMs, deleting them, and moving them between hosts: the record here and the definition there. */

import { DriverError } from '../drivers/driver.ts'
import { removeUnused } from '../engine/accessors.ts'
import type { Context, Transaction } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VBD, VIF, VM } from '../model/index.ts'
import { ApiError } from '../model/kernel/error.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { domainConfig, isDescribed } from './domain-config.ts'
import { provideNetworks } from './network-config.ts'
import { vmRecord, type VmRecord } from './vm-record.ts'

/** Fields whose references to a VM go with it. */
export const OWNED_THROUGH = ['VBD.VM', 'VIF.VM'] as const

const VCPUS_MAX = 1024n
const MEMORY_BYTES_MAX = 2n ** 50n

/** Throws what no machine could be, whatever its host. */
export function checkVm(vm: VmRecord): void {
  const { memory_static_max, memory_static_min, memory_dynamic_max, memory_dynamic_min, VCPUs_number } = vm
  const memory = { memory_static_max, memory_static_min, memory_dynamic_max, memory_dynamic_min }
  for (const [field, value] of Object.entries(memory)) {
    if (value < 0n || value > MEMORY_BYTES_MAX) throw fail('INVALID_VALUE', { field, value: String(value) })
  }
  if (memory_static_max === 0n || memory_static_min > memory_static_max) {
    throw fail('INVALID_VALUE', { field: 'memory_static_max', value: String(memory_static_max) })
  }
  if (VCPUs_number < 1n || VCPUs_number > VCPUS_MAX) {
    throw fail('INVALID_VALUE', { field: 'VCPUs_number', value: String(VCPUs_number) })
  }
}

/** The record comes first: a definition without a record would be adopted as a stranger after a crash in between. */
export async function createVm(
  context: Context,
  values: VmRecord,
  attach: (transaction: Transaction) => void = () => undefined,
): Promise<void> {
  const { store, hosts } = context
  const isPlaced = !values.is_a_template && (values.affinity !== NULL_REF || hosts.connected().length > 0)
  const vm = isPlaced ? { ...values, affinity: hosts.hostFor(values), domain: values.uuid } : values
  const owners = ownersOf(store, vm)
  await store.transact(transaction => {
    transaction.insert(VM, vm)
    attach(transaction)
  })
  if (!isPlaced) return
  try {
    await defineIfBootable(context, vm.uuid)
  } catch (error) {
    const told = await takeBack(context, vm, error) // It may have been defined after all.
    await store.transact(transaction => {
      giveBack(transaction, vm, owners)
      transaction.remove(VM, vm.uuid)
    })
    throw told
  }
}

/** Who has the disks and interfaces that a new VM takes. */
function ownersOf(store: Context['store'], { VBDs, VIFs }: VmRecord): ReadonlyMap<string, string> {
  return new Map<string, string>([
    ...VBDs.map(ref => [ref, store.get(VBD, ref)?.VM ?? NULL_REF] as const),
    ...VIFs.map(ref => [ref, store.get(VIF, ref)?.VM ?? NULL_REF] as const),
  ])
}

/** Disks and interfaces that were somebody's go back; those that were made for the VM go with it. */
function giveBack(transaction: Transaction, vm: VmRecord, owners: ReadonlyMap<string, string>): void {
  const { VBDs, VIFs } = transaction.get(VM, vm.uuid) ?? vm
  for (const [of, refs] of [[VBD, VBDs] as const, [VIF, VIFs] as const]) {
    for (const ref of refs) {
      const owner = owners.get(ref)
      if (owner === undefined) transaction.remove(of, ref)
      else transaction.patch(of, ref, { VM: owner })
    }
  }
}

/** Tells the host of the VM, unless it cannot boot as it is described yet; `start` tells it again in any case. */
async function defineIfBootable(context: Context, vm: string): Promise<void> {
  const current = vmRecord(context, vm)
  if (!isDescribed(current)) return
  try {
    const config = domainConfig(context, current)
    await provideNetworks(context, vm)
    await context.hosts.placementOf(vm).driver.domains.define(config)
  } catch (error) {
    // What it says wrongly of itself can still be mended, and is told at its start.
    if (!(error instanceof ApiError)) throw error
  }
}

/** The host forgets first, for the same reason. A second call finishes what a crash in between left. */
export async function deleteVm(context: Context, vm: string): Promise<void> {
  const { store } = context
  const current = vmRecord(context, vm)
  checkHalted(current)
  await undefine(context, current)
  await store.transact(transaction => {
    const { VBDs, VIFs } = transaction.get(VM, vm) ?? current
    for (const vbd of VBDs) transaction.remove(VBD, vbd)
    for (const vif of VIFs) transaction.remove(VIF, vif)
    removeUnused(store, transaction, VM, vm, { ownedThrough: OWNED_THROUGH })
  })
}

function checkHalted({ uuid, power_state, is_a_template }: VmRecord): void {
  if (power_state === 'Halted' || (is_a_template && power_state !== 'Running' && power_state !== 'Paused')) return
  throw fail('VM_BAD_POWER_STATE', { vm: uuid, expected: 'Halted', actual: power_state })
}

async function undefine(context: Context, vm: VmRecord): Promise<void> {
  if (vm.domain === '' || vm.affinity === NULL_REF) return
  const driver = context.hosts.driver(vm.affinity)
  try {
    await driver.domains.undefine(vm.domain)
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'not-found') return
    await context.hosts.observe(vm.uuid)
    throw error
  }
}

/** Undefines what a failed step may have defined. Answers the error to throw: the cause, with what remains if this fails too. */
async function takeBack(context: Context, vm: VmRecord, cause: unknown): Promise<unknown> {
  try {
    await undefine(context, vm)
    return cause
  } catch (error) {
    if (!(error instanceof DriverError && cause instanceof DriverError)) return cause
    const remains = `domain ${vm.domain} may remain on host ${vm.affinity}: ${error.message}`
    return new DriverError(cause.kind, `${cause.message}; ${remains}`, { cause })
  }
}

/** A Halted VM moves to another host: undefined here, defined there. */
export async function moveVm(context: Context, vm: string, host: string): Promise<void> {
  const { store } = context
  const before = vmRecord(context, vm)
  if (before.affinity === host) return
  checkHalted(before)
  // Both hosts must answer before anything happens, or the domain would be left on one and adopted from it later.
  for (const end of [before.affinity, host]) if (end !== NULL_REF) context.hosts.driver(end)
  await store.transact(transaction => transaction.patch(VM, vm, { affinity: host, domain: host === '' ? '' : vm }))
  try {
    if (host !== NULL_REF && !before.is_a_template) await defineIfBootable(context, vm)
    await undefine(context, before)
  } catch (error) {
    const told = await takeBack(context, vmRecord(context, vm), error)
    const { affinity, domain } = before
    await store.transact(transaction => transaction.patch(VM, vm, { affinity, domain }))
    throw told
  }
}
