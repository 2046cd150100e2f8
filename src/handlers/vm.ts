import { randomUUID } from 'node:crypto'
import { DriverError } from '../drivers/driver.ts'
import { removeUnused } from '../engine/accessors.ts'
import { type Context, implement, type Transaction } from '../engine/context.ts'
import { consolePaths } from '../engine/terminals.ts'
import { fail } from '../model/errors.ts'
import { host_, VBD, VDI, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { checkBootable, checkDisksFree, domainConfig, isDescribed } from './domain-config.ts'
import { randomMac } from './mac.ts'

type VmRecord = RecordOf<typeof VM>

const CLEAN_SHUTDOWN_MS = 60_000
const SERIAL_BYTES_MAX = 65_536
const VCPUS_MAX = 1024n
const MEMORY_BYTES_MAX = 2n ** 50n

/** The life of a VM. `allowedIn` of the declaration has been checked before a handler runs. */
export const vmHandlers = implement(
  VM,
  {
    list: ({ store }) => store.all(VM),

    async start(context, { vm, start_paused }) {
      await start(context, vm, start_paused)
      return null
    },

    async pause(context, { vm }) {
      const { driver, id } = context.hosts.placementOf(vm)
      return observed(context, vm, () => driver.domains.pause(id))
    },

    async unpause(context, { vm }) {
      const { driver, id } = context.hosts.placementOf(vm)
      return observed(context, vm, () => driver.domains.unpause(id))
    },

    async clean_shutdown(context, { vm }) {
      await cleanShutdown(context, vm)
      return null
    },

    async clean_reboot(context, { vm }) {
      // What would keep it from starting again is found out before it is shut down.
      checkStartable(context, record(context, vm))
      await cleanShutdown(context, vm)
      await boot(context, vm, false)
      return null
    },

    async hard_shutdown(context, { vm }) {
      const { driver, id } = context.hosts.placementOf(vm)
      return observed(context, vm, () => driver.domains.powerOff(id))
    },

    async hard_reboot(context, { vm }) {
      const { driver, id } = context.hosts.placementOf(vm)
      return observed(context, vm, () => driver.domains.reset(id))
    },

    suspend: (context, { vm }) => unsupported(context, vm, 'VM.suspend'),
    resume: (context, { vm }) => unsupported(context, vm, 'VM.resume'),

    clone: (context, { vm, new_name }) => clone(context, vm, new_name),

    install(context, { template, new_name }) {
      if (context.store.get(VM, template)?.is_a_template !== true) {
        throw fail('OPERATION_NOT_ALLOWED', { reason: `VM ${template} is not a template; VM.clone copies a VM` })
      }
      return clone(context, template, new_name)
    },

    list_consoles: ({ hosts }, { vm }) => consolePaths(hosts, vm),

    async read_serial(context, { vm, position }) {
      const { driver, id } = context.hosts.placementOf(vm)
      if (driver.consoles === undefined) return unsupported(context, vm, 'VM.read_serial')
      if (position < 0n || position > BigInt(Number.MAX_SAFE_INTEGER)) {
        throw fail('INVALID_VALUE', { field: 'position', value: String(position) })
      }
      const { data, next } = await driver.consoles.readSerial(id, Number(position), SERIAL_BYTES_MAX)
      return { data: Buffer.from(data).toString('utf8'), next: BigInt(next) }
    },
  },
  {
    check,
    create,
    delete: deleteVm,
    set: { affinity: move },
    ownedThrough: ['VBD.VM', 'VIF.VM'],
  },
)

function record(context: Context, vm: string): VmRecord {
  const found = context.store.get(VM, vm)
  if (found === undefined) throw fail('HANDLE_INVALID', { class: 'VM', handle: vm })
  return found
}

/** Does something to a VM and reads back what the host says then, also where it failed half-way. */
async function observed(context: Context, vm: string, act: () => Promise<void>): Promise<null> {
  try {
    await act()
  } finally {
    await context.hosts.observe(vm)
  }
  return null
}

function unsupported(context: Context, vm: string, operation: string): never {
  const { driver } = context.hosts.placementOf(vm)
  throw fail('DRIVER_UNSUPPORTED', { driver: driver.name, operation })
}

async function start(context: Context, vm: string, paused: boolean): Promise<void> {
  const { store, hosts } = context
  if (record(context, vm).is_a_template) throw fail('VM_IS_TEMPLATE', { vm })
  const host = hosts.hostFor(record(context, vm))
  if (store.get(host_, host)?.enabled === false) throw fail('HOST_DISABLED', { host })
  await boot(context, vm, paused, context.task.signal)
}

/** Throws what keeps a VM from starting by its own description, and where its disks are in use elsewhere. */
function checkStartable({ store, hosts }: Context, vm: VmRecord): void {
  checkBootable(vm)
  domainConfig(store, vm)
  checkDisksFree(store, vm, other => hosts.isStarting(other))
}

/** Starts a VM; an aborted `signal` takes the start back. */
async function boot(context: Context, vm: string, paused: boolean, signal?: AbortSignal): Promise<void> {
  const { store, hosts, task } = context
  checkStartable(context, record(context, vm))
  await hosts.whileStarting(vm, async () => {
    await place(context, vm)
    const { driver, id } = hosts.placementOf(vm)
    await observed(context, vm, async () => {
      await driver.domains.define(domainConfig(store, record(context, vm)))
      await driver.domains.start(id, { paused, onProgress: task.progress, ...(signal && { signal }) })
    })
  })
}

/** Gives a VM that has no host yet its host, and the name it will have there. */
async function place(context: Context, vm: string): Promise<void> {
  const { store, hosts } = context
  const current = record(context, vm)
  const host = hosts.hostFor(current)
  if (current.affinity === host && current.domain !== '') return
  await store.transact(transaction => transaction.patch(VM, vm, { affinity: host, domain: current.uuid }))
}

/** The guest is asked, and while it takes its time the VM is ShuttingDown; one that does not obey goes on running. */
async function cleanShutdown(context: Context, vm: string): Promise<void> {
  const { hosts } = context
  const { driver, id } = hosts.placementOf(vm)
  hosts.setShuttingDown(vm, true)
  try {
    await driver.domains.requestShutdown(id)
    // Whether its caller is still there or not: the guest has been asked, and is on its way.
    const isDown = await hosts.waitFor(vm, state => state === 'Halted', CLEAN_SHUTDOWN_MS)
    if (!isDown) throw fail('VM_SHUTDOWN_TIMEOUT', { vm, timeout: String(CLEAN_SHUTDOWN_MS / 1000) })
  } finally {
    hosts.setShuttingDown(vm, false)
    await hosts.observe(vm)
  }
}

function check(vm: VmRecord): void {
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
async function create(
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
  const current = record(context, vm)
  if (!isDescribed(current)) return
  await context.hosts.placementOf(vm).driver.domains.define(domainConfig(context.store, current))
}

/** The host forgets first, for the same reason. A second call finishes what a crash in between left. */
async function deleteVm(context: Context, vm: string): Promise<void> {
  const { store } = context
  const current = record(context, vm)
  checkHalted(current)
  await undefine(context, current)
  await store.transact(transaction => {
    const { VBDs, VIFs } = transaction.get(VM, vm) ?? current
    for (const vbd of VBDs) transaction.remove(VBD, vbd)
    for (const vif of VIFs) transaction.remove(VIF, vif)
    removeUnused(store, transaction, VM, vm, { ownedThrough: ['VBD.VM', 'VIF.VM'] })
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
async function move(context: Context, vm: string, host: string): Promise<void> {
  const { store } = context
  const before = record(context, vm)
  if (before.affinity === host) return
  checkHalted(before)
  // Both hosts must answer before anything happens, or the domain would be left on one and adopted from it later.
  for (const end of [before.affinity, host]) if (end !== NULL_REF) context.hosts.driver(end)
  await store.transact(transaction => transaction.patch(VM, vm, { affinity: host, domain: host === '' ? '' : vm }))
  try {
    if (host !== NULL_REF && !before.is_a_template) await defineIfBootable(context, vm)
    await undefine(context, before)
  } catch (error) {
    const told = await takeBack(context, record(context, vm), error)
    const { affinity, domain } = before
    await store.transact(transaction => transaction.patch(VM, vm, { affinity, domain }))
    throw told
  }
}

/** A copy of a Halted VM with interfaces of its own. Images that nobody writes are shared with the original. */
async function clone(context: Context, vm: string, name: string): Promise<string> {
  const { store } = context
  const original = record(context, vm)
  const uuid = randomUUID()
  const vbds = original.VBDs.flatMap(ref => store.get(VBD, ref) ?? [])
  for (const vbd of vbds) {
    const vdi = vbd.VDI === NULL_REF ? undefined : store.get(VDI, vbd.VDI)
    if (vdi !== undefined && !vdi.sharable && !vdi.read_only && vbd.mode === 'RW') {
      return unsupported(context, vm, 'VM.clone of a VM with writable disks')
    }
  }
  const fresh = { uuid, name_label: name, is_a_template: false, VIFs: [], VBDs: [], domain: '' } as const
  await create(context, newRecord(VM, { ...original, ...fresh, resident_on: NULL_REF }), transaction => {
    for (const vbd of vbds) transaction.insert(VBD, newRecord(VBD, { ...vbd, uuid: randomUUID(), VM: uuid }))
    for (const vif of original.VIFs.flatMap(ref => store.get(VIF, ref) ?? [])) {
      transaction.insert(VIF, newRecord(VIF, { ...vif, uuid: randomUUID(), VM: uuid, MAC: randomMac() }))
    }
  })
  return uuid
}
