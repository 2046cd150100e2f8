/**
 * Host → store. The fields that a hypervisor decides are read back here and nowhere else; what was asked of a host
 * is never written as if it had happened.
 */

import { randomUUID } from 'node:crypto'
import {
  type Domain,
  type DomainConfig,
  type DomainId,
  type DomainState,
  type Driver,
  DriverError,
  type HostInfo,
  type NetworkConfig,
} from '../drivers/driver.ts'
import { host_, host_cpu, VBD, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import type { Store, Transaction } from '../store/store.ts'
import { adopt, type Place, revise } from './adoption.ts'
import { HostImages } from './images.ts'
import { recordNetworks } from './networks.ts'

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
    return { state, devices: devicesOf(await driver.domains.config(domain)) }
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

/** What keeps a reading from writing what is old. */
export interface RecordOptions {
  readonly overlay: Overlay
  /** The VMs and networks that were being changed while it was read. */
  readonly held: ReadonlySet<string>
  /** The definition that a VM's host was given, where the VM's record has yet to say so. */
  readonly take: (vm: string) => { readonly definition?: string }
}

/** What a host said of its domains, their definitions and its networks. */
export class HostReading {
  /** Undefined where the host was not asked for all of them. */
  readonly #states: ReadonlyMap<DomainId, DomainState> | undefined
  readonly #configs: readonly DomainConfig[]
  readonly #networks: readonly NetworkConfig[] | undefined
  readonly #isWhole: boolean

  private constructor(
    isWhole: boolean,
    domains: readonly Domain[] | undefined,
    configs: readonly DomainConfig[],
    networks: readonly NetworkConfig[] | undefined,
  ) {
    this.#isWhole = isWhole
    this.#states = domains && new Map(domains.map(({ id, state }) => [id, state]))
    this.#configs = configs
    this.#networks = networks
  }

  /** Reads all there is. */
  static async whole(driver: Driver): Promise<HostReading> {
    const [domains, networks] = await Promise.all([driver.domains.list(), driver.networks?.list()])
    const configs = domains.length === 0 ? [] : await driver.domains.configs(domains.map(({ id }) => id))
    return new HostReading(true, domains, configs, networks)
  }

  /** Reads some definitions; with the states of all domains, so that those can be adopted that nobody told us of. */
  static async of(driver: Driver, ids: readonly DomainId[], withStates: boolean): Promise<HostReading> {
    const states = withStates ? driver.domains.list() : undefined
    const [domains, configs, networks] = await Promise.all([
      states,
      driver.domains.configs(ids),
      driver.networks?.list(),
    ])
    return new HostReading(false, domains, configs, networks)
  }

  /**
   * Compares with the store: domains nobody told us of become VMs, what others changed of VMs is taken over. Of a whole
   * host states are written too, and VMs whose domain is gone are Halted with their definition kept. Answers the domains
   * of which nothing was taken over, for their VMs were being changed.
   */
  record(transaction: Transaction, host: string, options: RecordOptions): readonly DomainId[] {
    const { held, overlay } = options
    if (this.#networks !== undefined) recordNetworks(transaction, host, this.#networks, ref => held.has(ref))
    const place = { transaction, host, images: new HostImages(transaction, host) }
    const ours = this.#isWhole ? domainsOf(transaction, host) : undefined
    const busy: DomainId[] = []
    const devices = new Map<DomainId, ReadonlySet<string>>()
    for (const config of this.#configs) {
      const vm = ours === undefined ? vmOfDomain(transaction, host, config.id) : ours.get(config.id)
      if (vm !== undefined && held.has(vm)) {
        busy.push(config.id)
        continue
      }
      devices.set(config.id, devicesOf(config))
      if (vm !== undefined) this.#revise(place, vm, config, options)
      else this.#adopt(place, config, overlay, ours)
    }
    for (const [domain, vm] of ours ?? []) {
      recordState(transaction, vm, host, this.#reading(domain, devices.get(domain)), overlay)
    }
    return busy
  }

  #reading(domain: DomainId, devices: ReadonlySet<string> | undefined): Reading {
    const state = this.#states?.get(domain)
    return { state, ...(state !== 'halted' && devices && { devices }) }
  }

  #revise(place: Place, vm: string, config: DomainConfig, { take }: RecordOptions): void {
    const { transaction } = place
    transaction.patch(VM, vm, take(vm))
    revise(place, vm, config)
    const isHalted = transaction.get(VM, vm)?.power_state === 'Halted'
    recordDevices(transaction, vm, isHalted ? new Set() : devicesOf(config))
  }

  #adopt(place: Place, config: DomainConfig, overlay: Overlay, ours: Map<DomainId, string> | undefined): void {
    const state = this.#states?.get(config.id)
    if (state === undefined) return
    const vm = adopt(place, config, state !== 'halted')
    ours?.set(config.id, vm)
    const reading = this.#reading(config.id, devicesOf(config))
    recordState(place.transaction, vm, place.host, reading, overlay)
  }
}

const devicesOf = ({ disks, nics = [] }: DomainConfig): ReadonlySet<string> =>
  new Set([...disks, ...nics].map(({ id }) => id))

/** The VMs of a host by their domains. */
function domainsOf(objects: Pick<Transaction, 'all' | 'get'>, host: string): Map<DomainId, string> {
  const ours = new Map<DomainId, string>()
  for (const vm of objects.all(VM)) {
    const record = objects.get(VM, vm)
    if (record !== undefined && record.affinity === host && record.domain !== '') ours.set(record.domain, vm)
  }
  return ours
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
