import { DriverError } from '../drivers/driver.ts'
import { type Context, implement, type Transaction } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { host_, host_cpu, network, SR, VBD, VDI, VIF, VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { ensureNetwork } from './first-network.ts'
import { ensureRepository } from './repository.ts'
import { takeBack } from './take-back.ts'

/** Hosts. The machine itself is only ever shut down where the operator's configuration allows it. */
export const hostHandlers = implement(host_, {
  list: ({ store }) => store.all(host_),

  async enable({ store }, { host }) {
    await store.transact(transaction => transaction.patch(host_, host, { enabled: true }))
    return null
  },

  async disable({ store }, { host }) {
    await store.transact(transaction => transaction.patch(host_, host, { enabled: false }))
    return null
  },

  shutdown: (context, { host }) => setPower(context, host, 'shutdown'),
  reboot: (context, { host }) => setPower(context, host, 'reboot'),

  async add(context, { uri }) {
    const known = new Set(context.store.all(host_))
    const host = await context.hosts.add(uri)
    await furnish(context, host, !known.has(host))
    return host
  },

  async remove(context, { host }) {
    const { store, hosts } = context
    // A host that is gone for good must be forgettable: then its VMs are forgotten with it, not deleted, whatever ran there.
    // So must one that is managed by others too, and goes on with all that it has.
    const connection = hosts.connected().find(connected => connected.host === host)
    if (connection === undefined || connection.driver.host.isRemote === true) return forget(context, host)
    if (store.get(host_, host)?.resident_VMs.length !== 0) throw fail('HOST_HAS_RESIDENT_VMS', { host })
    const users = [
      ...store.findBy(VM, 'affinity', host).map(ref => `VM:${ref}`),
      ...store.findBy(SR, 'host', host).flatMap(ref => store.get(SR, ref)?.VDIs.map(vdi => `VDI:${vdi}`) ?? []),
    ]
    if (users.length > 0) {
      throw fail('OBJECT_IN_USE', { class: 'host', object: host, users: users.slice(0, 20).join(',') })
    }
    await letGo(context, host, transaction => {
      for (const repository of store.findBy(SR, 'host', host)) transaction.remove(SR, repository)
      removeHost(transaction, host)
    })
    return null
  },
})

/** Takes a host, and what was on it, out of the records. What it still has is adopted if it comes back. */
async function forget(context: Context, host: string): Promise<null> {
  const { store } = context
  await letGo(context, host, transaction => {
    for (const vm of store.findBy(VM, 'affinity', host)) {
      const { VBDs = [], VIFs = [] } = transaction.get(VM, vm) ?? {}
      for (const vbd of VBDs) transaction.remove(VBD, vbd)
      for (const vif of VIFs) transaction.remove(VIF, vif)
      transaction.remove(VM, vm)
    }
    for (const sr of store.findBy(SR, 'host', host)) {
      for (const vdi of transaction.get(SR, sr)?.VDIs ?? []) transaction.remove(VDI, vdi)
      transaction.remove(SR, sr)
    }
    removeHost(transaction, host)
  })
  return null
}

/** Disconnects a host and changes the records; where they cannot be changed, one that was connected is connected again. */
async function letGo({ store, hosts }: Context, host: string, change: (transaction: Transaction) => void) {
  const { uri = '' } = store.get(host_, host) ?? {}
  const wasConnected = hosts.connected().some(connection => connection.host === host)
  await hosts.remove(host)
  try {
    await store.transact(change)
  } catch (error) {
    throw await takeBack(error, wasConnected ? [() => hosts.add(uri).then(() => undefined)] : [])
  }
}

/** A host, and what was only ever found on it; a network that VMs elsewhere are plugged into is nobody's then. */
function removeHost(transaction: Transaction, host: string): void {
  for (const vdi of transaction.all(VDI)) {
    if (transaction.get(VDI, vdi)?.host === host) transaction.remove(VDI, vdi)
  }
  for (const ref of transaction.all(network)) {
    const { host: found, VIFs = [] } = transaction.get(network, ref) ?? {}
    if (found !== host) continue
    if (VIFs.length === 0) transaction.remove(network, ref)
    else transaction.patch(network, ref, { host: NULL_REF })
  }
  for (const cpu of transaction.get(host_, host)?.host_CPUs ?? []) transaction.remove(host_cpu, cpu)
  transaction.remove(host_, host)
}

/** A host is of use without these, so it stays; the error says so, and what is missing can be made by hand. */
async function furnish(context: Context, host: string, isNew: boolean): Promise<void> {
  try {
    await ensureRepository(context, host)
    if (isNew) await ensureNetwork(context, host)
  } catch (error) {
    if (!(error instanceof DriverError)) throw error
    const reason = `host ${host} is connected, but its first repository or network could not be made: ${error.message}`
    const driver = context.hosts.driver(host).name
    throw fail('DRIVER_FAILED', { driver, operation: 'host.add', reason }, { cause: error })
  }
}

/**
 * The programs act on the machine that this server runs on, which all hosts with power share: no VM may run on any.
 * Source: Xen Management API rev 0.2, §2.7.2: disabled, and no running VMs.
 */
async function setPower({ store, hosts }: Context, host: string, action: 'shutdown' | 'reboot'): Promise<null> {
  if (store.get(host_, host)?.enabled !== false) throw fail('HOST_NOT_DISABLED', {})
  const sharing = hosts.connected().filter(({ driver }) => driver.power !== undefined)
  for (const each of new Set([host, ...sharing.map(({ host: other }) => other)])) {
    const isComing = store.findBy(VM, 'affinity', each).some(vm => hosts.isStarting(vm))
    const residents = store.get(host_, each)?.resident_VMs ?? []
    if (residents.length > 0 || isComing) throw fail('HOST_HAS_RESIDENT_VMS', { host: each })
  }
  const { power } = hosts.driver(host)
  if (power === undefined) {
    throw fail('OPERATION_NOT_ALLOWED', { reason: 'this server is not configured to shut down or reboot its host' })
  }
  await power[action]()
  return null
}
