/** Making VMs, deleting them, and moving them between hosts: the record here and the definition there. */

import { DriverError } from '../drivers/driver.ts'
import { removeUnused } from '../engine/accessors.ts'
import type { Context, Transaction } from '../engine/context.ts'
import { vmOfDomain } from '../engine/observe.ts'
import { fail } from '../model/errors.ts'
import { VBD, VIF, VM } from '../model/index.ts'
import { ApiError } from '../model/kernel/error.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { domainConfig, isDescribed } from './domain-config.ts'
import { dropLost, imagesOf } from './lost-images.ts'
import { provideNetworks } from './network-config.ts'
import { changeVbd, changeVif } from './plug.ts'
import { takeBack } from './take-back.ts'
import { vmRecord, type VmRecord } from './vm-record.ts'

/** Fields whose references to a VM go with it. */
export const OWNED_THROUGH = ['VBD.VM', 'VIF.VM'] as const

const VCPUS_MAX = 1024n
const MEMORY_BYTES_MAX = 2n ** 50n

/** Throws what no machine could be, whatever its host. */
export function checkVm(vm: VmRecord, { store, caller }: Context): void {
  // A device of the host gives its guest power over the host.
  if (vm.PCI_bus !== '' && !caller.administrator && store.get(VM, vm.uuid) === undefined) {
    throw fail('PERMISSION_DENIED', { message: 'VM.create with PCI_bus' })
  }
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
  { VBDs, VIFs, ...values }: VmRecord,
  attach: (transaction: Transaction) => void = () => undefined,
): Promise<void> {
  const { store, hosts } = context
  const bare = { ...values, VBDs: [], VIFs: [] }
  const isPlaced = !bare.is_a_template && (bare.affinity !== NULL_REF || hosts.connected().length > 0)
  const vm = isPlaced ? { ...bare, affinity: hosts.hostFor(bare), domain: bare.uuid } : bare
  await store.transact(transaction => {
    transaction.insert(VM, vm)
    attach(transaction)
  })
  let mayRemain = false
  // A domain that may be left on its host keeps its record, or nobody could delete it.
  const undos = [() => (mayRemain ? Promise.resolve() : forget(store, vm.uuid))]
  const takeOffAgain = async () => {
    mayRemain = true
    await takeOff(context, vm)
    mayRemain = false
  }
  try {
    for (const vbd of VBDs) undos.push(await changeVbd(context, vbd, { VM: vm.uuid }))
    for (const vif of VIFs) undos.push(await changeVif(context, vif, { VM: vm.uuid }))
    undos.push(takeOffAgain) // It may have been defined although that failed.
    if (isPlaced) await defineIfBootable(context, vm.uuid)
  } catch (error) {
    throw await takeBack(error, undos)
  }
}

/** Removes the record of a VM, and the devices that go with it. */
function forget(store: Context['store'], vm: string): Promise<void> {
  return store.transact(transaction => {
    const { VBDs = [], VIFs = [] } = transaction.get(VM, vm) ?? {}
    for (const vbd of VBDs) transaction.remove(VBD, vbd)
    for (const vif of VIFs) transaction.remove(VIF, vif)
    removeUnused(store, transaction, VM, vm, { ownedThrough: OWNED_THROUGH })
  })
}

/**
 * Forgets the VM of a domain that a client of libvirt has undefined: for those who hold the VM. One that its host still has,
 * or that others refer to, stays. Its images that are gone, and were kept for it alone, go with it.
 */
export async function forgetUndefined(
  { store, hosts }: Pick<Context, 'store' | 'hosts'>,
  host: string,
  domain: string,
): Promise<void> {
  const vm = vmOfDomain(store, host, domain)
  if (vm === undefined) return
  const isThere = await hosts
    .driver(host)
    .domains.get(domain)
    .then(
      () => true,
      (error: unknown) => !(error instanceof DriverError && error.kind === 'not-found'),
    )
  if (isThere) return
  const images = imagesOf(store, vm)
  await forget(store, vm)
  await dropLost({ store, hosts }, host, images)
}

/** Tells the host of the VM, unless it cannot boot as it is described yet; `start` tells it again in any case. */
export async function defineIfBootable(context: Pick<Context, 'store' | 'hosts' | 'paths'>, vm: string): Promise<void> {
  const current = vmRecord(context, vm)
  if (!isDescribed(current)) return
  try {
    const config = domainConfig(context, current)
    await provideNetworks(context, vm)
    await context.hosts.define(vm, config)
  } catch (error) {
    // What it says wrongly of itself can still be mended, and is told at its start.
    if (!(error instanceof ApiError)) throw error
  }
}

/** The host forgets first, for the same reason. A second call finishes what a crash in between left. */
export async function deleteVm(context: Context, vm: string): Promise<void> {
  const current = vmRecord(context, vm)
  checkHalted(current)
  await undefine(context, current)
  await forget(context.store, vm)
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

/** As `undefine`; where that fails, the error names what remains. */
async function takeOff(context: Context, vm: VmRecord): Promise<void> {
  try {
    await undefine(context, vm)
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    const reason = `domain ${vm.domain} may remain on host ${vm.affinity}: ${error.message}`
    throw new DriverError(error.kind, reason, { cause: error })
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
  const { affinity, domain } = before
  const undos = [() => store.transact(transaction => transaction.patch(VM, vm, { affinity, domain }))]
  try {
    if (host !== NULL_REF && !before.is_a_template) {
      const placed = vmRecord(context, vm)
      undos.push(() => takeOff(context, placed))
      await defineIfBootable(context, vm)
    }
    await undefine(context, before)
  } catch (error) {
    throw await takeBack(error, undos)
  }
}
