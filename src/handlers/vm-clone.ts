import { randomUUID } from 'node:crypto'
import type { Context, Transaction } from '../engine/context.ts'
import { VBD, VDI, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { newRecord } from '../model/kernel/operations.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { cloneImage, type Clone } from './image-clone.ts'
import { abandon, settle } from './intent.ts'
import { randomMac } from './mac.ts'
import { observeRepository } from './repository.ts'
import { takeBack } from './take-back.ts'
import { createVm, deleteVm } from './vm-definition.ts'
import { vmRecord, type VmRecord } from './vm-record.ts'

/** What a clone is to be other than its original, and what else happens in the moment it is there. */
export interface VmCloneOptions {
  readonly values: Partial<VmRecord>
  readonly macOf: (vif: RecordOf<typeof VIF>) => string
  readonly and?: (transaction: Transaction) => void
  readonly operation: string
}

/** A copy of a Halted VM, an ordinary VM though the original be a template, with disks and interfaces of its own. */
export const cloneVm = (context: Context, vm: string, name: string): Promise<string> =>
  copyVm(context, vm, { values: { name_label: name }, macOf: randomMac, operation: 'VM.clone' })

/**
 * Copies a VM. Its disks share blocks with the original's; images that nobody writes, or that are sharable, are used by
 * both. A failure leaves none of it.
 */
export async function copyVm(context: Context, vm: string, options: VmCloneOptions): Promise<string> {
  const { store } = context
  const original = vmRecord(context, vm)
  const uuid = randomUUID()
  const clones = new Map<string, Clone>()
  try {
    const vbds = original.VBDs.flatMap(ref => store.get(VBD, ref) ?? [])
    for (const { VDI: vdi } of vbds.filter(vbd => isWritten(context, vbd))) {
      if (clones.has(vdi)) continue
      clones.set(vdi, await cloneImage(context, vdi, { forVm: uuid, operation: options.operation }))
      context.task.progress(clones.size / (vbds.length + 1))
    }
    const fresh = {
      uuid,
      is_a_template: false,
      VIFs: [],
      VBDs: [],
      domain: '',
      definition: '',
      resident_on: NULL_REF,
    } as const
    const own = { ...fresh, crash_copies: 0n, power_state: 'Halted' } as const
    const copy = newRecord(VM, { ...original, ...own, ...options.values })
    await createVm(context, copy, transaction => {
      const detached = { VM: uuid, currently_attached: false } as const
      for (const vbd of vbds) {
        const vdi = clones.get(vbd.VDI)?.vdi ?? vbd.VDI
        transaction.insert(VBD, newRecord(VBD, { ...vbd, ...detached, uuid: randomUUID(), VDI: vdi }))
      }
      for (const vif of original.VIFs.flatMap(ref => transaction.get(VIF, ref) ?? [])) {
        const MAC = options.macOf(vif)
        transaction.insert(VIF, newRecord(VIF, { ...vif, ...detached, uuid: randomUUID(), MAC }))
      }
    })
    await finish(context, uuid, transaction => {
      for (const { plan } of clones.values()) settle(transaction, plan)
      options.and?.(transaction)
    })
  } catch (error) {
    const repositories = new Set([...clones.keys()].map(vdi => store.get(VDI, vdi)?.SR ?? NULL_REF))
    await context.hosts.holdRepositories([...repositories], async () => {
      for (const { plan } of clones.values()) await abandon(context, plan)
    })
    for (const sr of repositories) await observeRepository(context, sr)
    throw error
  }
  return uuid
}

/** The last step of a copy that is there; where it fails, the copy goes. */
async function finish(context: Context, vm: string, body: (transaction: Transaction) => void): Promise<void> {
  try {
    await context.store.transact(body)
  } catch (error) {
    throw await takeBack(error, [() => deleteVm(context, vm)])
  }
}

/** Whether a copy needs an image of its own there. */
function isWritten({ store }: Context, vbd: RecordOf<typeof VBD>): boolean {
  const vdi = vbd.VDI === NULL_REF ? undefined : store.get(VDI, vbd.VDI)
  return vdi !== undefined && !vdi.sharable && !vdi.read_only && vbd.mode === 'RW' && vbd.type !== 'CD'
}
