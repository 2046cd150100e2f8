/**
 * Host → store. The fields that a hypervisor decides are read back here and nowhere else; what was asked of a host
 * is never written as if it had happened.
 */

import { randomUUID } from 'node:crypto'
import { type DomainState, type Driver, DriverError, type HostInfo } from '../drivers/driver.ts'
import { host_, host_cpu, VBD, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import type { Store, Transaction } from '../store/store.ts'
import { adopt, readConfig, readConfigs } from './adoption.ts'

type PowerState = RecordOf<typeof VM>['power_state']

const POWER_STATE: Readonly<Record<DomainState, PowerState>> = {
  halted: 'Halted',
  running: 'Running',
  paused: 'Paused',
  // The draft has no word for it; what can be done with it is what can be done with a paused one.
  crashed: 'Paused',
  suspended: 'Suspended',
  unknown: 'Unknown',
}

/** What is known of a VM's state beyond what its host says. */
export interface Overlay {
  /** Whether the guest was told to shut down and is expected to obey. */
  readonly isShuttingDown: (vm: string) => boolean
  /** Told of a VM that is crashed and held; must not change the store at once. */
  readonly crashed: (vm: string) => void
}

/** A domain's state, and the ids of its disks and interfaces where it has a machine that could have them. */
export interface Reading {
  readonly state: DomainState | undefined
  readonly devices?: ReadonlySet<string>
}

/**
 * Writes what a host says of a VM: its power state, where it is resident, and which devices it has. An `undefined` state:
 * the host does not know it. Without `devices` what was read of them last stays, unless no machine is left.
 */
export function recordState(
  transaction: Transaction,
  vm: string,
  host: string,
  { state, devices }: Reading,
  overlay: Overlay,
): void {
  const reported = POWER_STATE[state ?? 'halted']
  const power_state = reported === 'Running' && overlay.isShuttingDown(vm) ? 'ShuttingDown' : reported
  const isResident = state === 'running' || state === 'paused' || state === 'crashed'
  transaction.patch(VM, vm, { power_state, resident_on: isResident ? host : NULL_REF })
  if (state === 'crashed') overlay.crashed(vm)
  const hasMachine = isResident || state === 'suspended'
  if (!hasMachine || devices !== undefined) recordDevices(transaction, vm, devices ?? new Set())
}

function recordDevices(transaction: Transaction, vm: string, attached: ReadonlySet<string>): void {
  const { VBDs = [], VIFs = [] } = transaction.get(VM, vm) ?? {}
  for (const ref of VBDs) transaction.patch(VBD, ref, { currently_attached: attached.has(ref) })
  for (const ref of VIFs) transaction.patch(VIF, ref, { currently_attached: attached.has(ref) })
}

/** Marks a VM whose host does not answer: its state is Unknown, where it is resident stays as last seen. */
export function recordUnreachable(transaction: Transaction, vm: string): void {
  transaction.patch(VM, vm, { power_state: 'Unknown' })
}

/** Reads one domain; its state is undefined where the host does not have it. Rejects with `unreachable` and the like. */
export async function readState(driver: Driver, domain: string): Promise<Reading> {
  if (domain === '') return { state: undefined }
  try {
    const { state } = await driver.domains.get(domain)
    if (state === 'halted') return { state }
    const { disks, nics = [] } = await driver.domains.config(domain)
    return { state, devices: new Set([...disks, ...nics].map(({ id }) => id)) }
  } catch (error) {
    if (error instanceof DriverError && error.kind === 'not-found') return { state: undefined }
    throw error
  }
}

/** Writes what the host says of itself; answers its reference. A host seen before is recognised by its identifier. */
export async function recordHost(store: Store, info: HostInfo, uri: string, driverName: string): Promise<string> {
  const known = store.findBy(host_, 'machine', info.id)[0]
  const ref = known ?? (store.get(host_, info.id) === undefined ? info.id : randomUUID())
  const facts = {
    software_version: new Map(Object.entries({ ...info.softwareVersion, driver: driverName })),
    uri,
    live: true,
    machine: info.id,
    memory: BigInt(info.memoryBytes),
  }
  await store.transact(transaction => {
    if (known === undefined) {
      transaction.insert(host_, newRecord(host_, { ...facts, uuid: ref, name_label: info.name }))
    } else {
      transaction.patch(host_, ref, facts)
    }
    recordCpus(transaction, ref, info)
  })
  return ref
}

function recordCpus(transaction: Transaction, host: string, info: HostInfo): void {
  const present = new Map<bigint, string>()
  for (const cpu of transaction.get(host_, host)?.host_CPUs ?? []) {
    const number = transaction.get(host_cpu, cpu)?.number ?? -1n
    if (info.cpus.some(({ number: n }) => BigInt(n) === number)) present.set(number, cpu)
    else transaction.remove(host_cpu, cpu)
  }
  for (const { number, features } of info.cpus) {
    const values = { number: BigInt(number), features: features as RecordOf<typeof host_cpu>['features'] }
    const ref = present.get(values.number)
    if (ref === undefined) transaction.insert(host_cpu, newRecord(host_cpu, { uuid: randomUUID(), host, ...values }))
    else transaction.patch(host_cpu, ref, values)
  }
}

/**
 * Compares all domains of a host with the store: states are written, domains nobody told us of become VMs, and VMs
 * whose domain is gone are Halted with their definition kept.
 */
export async function observeHost(store: Store, driver: Driver, host: string, overlay: Overlay): Promise<void> {
  const domains = await driver.domains.list()
  const ours = new Map<string, string>()
  for (const vm of store.all(VM)) {
    const record = store.get(VM, vm)
    if (record !== undefined && record.affinity === host && record.domain !== '') ours.set(record.domain, vm)
  }
  const strangers = domains.filter(domain => !ours.has(domain.id))
  const adopted = await readConfigs(driver, strangers)
  await store.transact(transaction => {
    for (const found of adopted) {
      // An event may have brought it in while the definitions were being read.
      if (found === undefined || vmOfDomain(transaction, host, found.domain.id) !== undefined) continue
      ours.set(found.domain.id, adopt(transaction, host, found))
    }
    const states = new Map(domains.map(domain => [domain.id, domain.state]))
    for (const [domain, vm] of ours) {
      if (transaction.get(VM, vm) !== undefined)
        recordState(transaction, vm, host, { state: states.get(domain) }, overlay)
    }
  })
}

/** Makes one domain that appeared on a host a VM, unless it is one already. */
export async function adoptDomain(
  store: Store,
  driver: Driver,
  host: string,
  id: string,
  overlay: Overlay,
): Promise<void> {
  const domain = await driver.domains.get(id)
  const found = await readConfig(driver, domain)
  if (found === undefined) return
  await store.transact(transaction => {
    if (vmOfDomain(transaction, host, id) !== undefined) return
    recordState(transaction, adopt(transaction, host, found), host, { state: domain.state }, overlay)
  })
}

/** The VM behind a domain of a host. Most have the domain's own UUID, so the search is rarely needed. */
export function vmOfDomain(
  objects: Pick<Transaction, 'all' | 'get'>,
  host: string,
  domain: string,
): string | undefined {
  const isIt = (vm: string) => {
    const record = objects.get(VM, vm)
    return record !== undefined && record.domain === domain && record.affinity === host
  }
  return isIt(domain) ? domain : objects.all(VM).find(isIt)
}
