/** Where VMs start. */

import type { Context } from '../engine/context.ts'
import { SR, VBD, VDI } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { moveVm } from './vm-definition.ts'
import { vmRecord } from './vm-record.ts'

/**
 * Moves a Halted VM to the host that has its disks, where one connected host has them all and it is another: nowhere else
 * could it start.
 */
export async function followDisks(context: Context, vm: string): Promise<void> {
  const { store, hosts } = context
  const { VBDs, affinity } = vmRecord(context, vm)
  const vdis = VBDs.flatMap(ref => store.get(VBD, ref)?.VDI ?? []).flatMap(ref => store.get(VDI, ref) ?? [])
  const [host, ...others] = new Set(vdis.filter(vdi => vdi.SR !== NULL_REF).map(vdi => store.get(SR, vdi.SR)?.host))
  if (host === undefined || others.length > 0 || host === affinity) return
  if (hosts.connected().some(connection => connection.host === host)) await moveVm(context, vm, host)
}
