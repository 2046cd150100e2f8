/** Making VMs of domains that nobody told us of, and changing VMs whose domains others have changed. */

import { randomUUID } from 'node:crypto'
import { type DiskConfig, type DomainConfig, type NicConfig, readConfig } from '../drivers/driver.ts'
import { network, VBD, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import type { Transaction } from '../store/store.ts'
import { biosDrive, vbdFields, vifFields, vmFields, type VmValues } from './config-fields.ts'
import type { HostImages } from './images.ts'

/** Where what a host says is written to. */
export interface Place {
  readonly transaction: Transaction
  readonly host: string
  readonly images: HostImages
}

type VmRecord = RecordOf<typeof VM>

/** Makes a VM of a domain, with its disks and interfaces. Answers it; what state it is in is for the caller to record. */
export function adopt(place: Place, config: DomainConfig, isAttached: boolean): string {
  const { transaction, host } = place
  const uuid = transaction.get(VM, config.id) === undefined ? config.id : randomUUID()
  const own = { uuid, affinity: host, domain: config.id, definition: JSON.stringify(config) }
  transaction.insert(VM, newRecord(VM, { ...vmFields(config), ...own }))
  for (const disk of vmDisks(config)) addDisk(place, uuid, disk, isAttached)
  for (const nic of config.nics ?? []) addNic(place, uuid, nic, isAttached)
  return uuid
}

/**
 * Changes a VM where its definition on the host is another than was given or seen last: what somebody else changed there
 * is taken over, field by field; what a client has changed here and the host was not told of yet stays. A VM of which
 * nothing was seen so far is left as it is.
 */
export function revise(place: Place, vm: string, config: DomainConfig): void {
  const { transaction } = place
  const record = transaction.get(VM, vm)
  const definition = JSON.stringify(config)
  if (record === undefined || record.definition === definition) return
  const before = readConfig(record.definition)
  const changes = before === undefined ? {} : changedFields(record, before, config)
  transaction.patch(VM, vm, { ...changes, definition })
  if (before === undefined) return
  reviseDisks(place, vm, vmDisks(before), vmDisks(config))
  reviseNics(place, vm, before.nics ?? [], config.nics ?? [])
}

/** The disks and drives that have objects of their own. */
function vmDisks(config: DomainConfig): readonly DiskConfig[] {
  const drive = biosDrive(config)
  return config.disks.filter(disk => disk !== drive)
}

function changedFields(record: VmRecord, before: DomainConfig, config: DomainConfig): VmValues {
  const [was, is] = [newRecord(VM, vmFields(before)), newRecord(VM, vmFields(config))]
  const changes = changed(was, is)
  const { memory_static_max: most = record.memory_static_max } = changes
  const { memory_dynamic_max: wanted = record.memory_dynamic_max } = changes
  // A smaller machine has no room for the minimums of a larger one.
  const memory_static_min = smaller(record.memory_static_min, most)
  const memory_dynamic_min = smaller(record.memory_dynamic_min, wanted === 0n ? most : wanted)
  return { ...changes, memory_static_min, memory_dynamic_min }
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** The fields in which the second differs from the first. */
function changed<R extends object>(was: R, is: R): Partial<R> {
  const before = new Map(Object.entries(was).map(([name, value]) => [name, textOf(value)]))
  const fields = Object.entries(is).filter(([name, value]) => before.get(name) !== textOf(value))
  const names = new Set(fields.map(([name]) => name))
  return pick(is, names)
}

function pick<R extends object>(record: R, names: ReadonlySet<string>): Partial<R> {
  const picked: Partial<R> = { ...record }
  for (const name in picked) if (!names.has(name)) delete picked[name]
  return picked
}

/** The values of one type that are equal have the same text; of fields that definitions tell, none is a map. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ?? ''

function reviseDisks(place: Place, vm: string, before: readonly DiskConfig[], now: readonly DiskConfig[]): void {
  const { transaction, images } = place
  const isAttached = hasMachine(transaction, vm)
  for (const disk of before) {
    const vbd = now.some(({ id }) => id === disk.id) ? undefined : vbdOf(transaction, vm, disk)
    if (vbd !== undefined) transaction.remove(VBD, vbd)
  }
  for (const disk of now) {
    const was = before.find(({ id }) => id === disk.id)
    const vbd = vbdOf(transaction, vm, was ?? disk)
    if (was === undefined) {
      // One that is here already was plugged in by a client.
      if (vbd === undefined) addDisk(place, vm, disk, isAttached)
    } else if (vbd !== undefined) {
      const moved = was.location === disk.location ? {} : { VDI: images.of(disk) }
      transaction.patch(VBD, vbd, { ...changed(vbdFields(was), vbdFields(disk)), ...moved })
    }
  }
}

function reviseNics(place: Place, vm: string, before: readonly NicConfig[], now: readonly NicConfig[]): void {
  const { transaction } = place
  const isAttached = hasMachine(transaction, vm)
  for (const nic of before) {
    const vif = now.some(({ id }) => id === nic.id) ? undefined : vifOf(transaction, vm, nic)
    if (vif !== undefined) transaction.remove(VIF, vif)
  }
  for (const nic of now) {
    const was = before.find(({ id }) => id === nic.id)
    const vif = vifOf(transaction, vm, was ?? nic)
    if (was === undefined) {
      if (vif === undefined) addNic(place, vm, nic, isAttached)
    } else if (vif !== undefined) {
      const moved = was.network === nic.network ? {} : { network: networkOf(transaction, nic) }
      transaction.patch(VIF, vif, { ...changed(vifFields(was), vifFields(nic)), ...moved })
    }
  }
}

const hasMachine = (transaction: Transaction, vm: string): boolean =>
  (transaction.get(VM, vm)?.power_state ?? 'Halted') !== 'Halted'

/** The object of a disk: of its identifier, or where that could not be ours the one of its name. */
function vbdOf(transaction: Transaction, vm: string, { id, device }: DiskConfig): string | undefined {
  if (transaction.get(VBD, id)?.VM === vm) return id
  if (UUID.test(id)) return undefined
  return transaction.get(VM, vm)?.VBDs.find(ref => transaction.get(VBD, ref)?.device === device)
}

function vifOf(transaction: Transaction, vm: string, { id, device }: NicConfig): string | undefined {
  if (transaction.get(VIF, id)?.VM === vm) return id
  if (UUID.test(id)) return undefined
  return transaction.get(VM, vm)?.VIFs.find(ref => transaction.get(VIF, ref)?.device === device)
}

function addDisk({ transaction, images }: Place, vm: string, disk: DiskConfig, currently_attached: boolean): void {
  const uuid = freeUuid(transaction, VBD, disk.id)
  transaction.insert(
    VBD,
    newRecord(VBD, { ...vbdFields(disk), uuid, VM: vm, VDI: images.of(disk), currently_attached }),
  )
}

function addNic({ transaction }: Place, vm: string, nic: NicConfig, currently_attached: boolean): void {
  const uuid = freeUuid(transaction, VIF, nic.id)
  const values = { ...vifFields(nic), uuid, VM: vm, network: networkOf(transaction, nic), currently_attached }
  transaction.insert(VIF, newRecord(VIF, values))
}

const networkOf = (transaction: Transaction, { network: id }: NicConfig): string =>
  id !== null && transaction.get(network, id) !== undefined ? id : NULL_REF

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The identifier that the host has, where it can be ours: then what the host says of it later is found again. */
function freeUuid(transaction: Transaction, of: typeof VBD | typeof VIF, id: string): string {
  return UUID.test(id) && transaction.get(of, id) === undefined ? id : randomUUID()
}
