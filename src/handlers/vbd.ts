import { type Context, implement, type Store } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VBD, VDI, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'

type VbdRecord = RecordOf<typeof VBD>

/** Block devices. A change to those of a running VM counts from its next start. */
export const vbdHandlers = implement(VBD, {}, { check, create })

function check(vbd: VbdRecord, { store }: Context): void {
  const vdi = vbd.VDI === NULL_REF ? undefined : store.get(VDI, vbd.VDI)
  if (vdi?.read_only === true && vbd.mode === 'RW') throw fail('INVALID_VALUE', { field: 'mode', value: 'RW' })
  if (vbd.device !== '' && !/^[\w/-]{1,64}$/.test(vbd.device)) {
    throw fail('INVALID_VALUE', { field: 'device', value: vbd.device.slice(0, 100) })
  }
  const twin = siblings(store, vbd).find(other => other.device === vbd.device)
  if (vbd.device !== '' && twin !== undefined) {
    throw fail('VM_DUPLICATE_VBD_DEVICE', { vm: vbd.VM, vbd: twin.uuid, device: vbd.device })
  }
}

async function create({ store }: Context, vbd: VbdRecord): Promise<void> {
  await store.transact(transaction => {
    const device = vbd.device === '' && vbd.VM !== NULL_REF ? freeDevice(store, vbd) : vbd.device
    transaction.insert(VBD, { ...vbd, device })
  })
}

function siblings(store: Store, vbd: VbdRecord): VbdRecord[] {
  if (vbd.VM === NULL_REF) return []
  const all = store.get(VM, vbd.VM)?.VBDs ?? []
  return all.filter(ref => ref !== vbd.uuid).flatMap(ref => store.get(VBD, ref) ?? [])
}

/** The first name that no other disk of the VM has: `hda` and on for emulated disks, `xvda` and on for others. */
function freeDevice(store: Store, vbd: VbdRecord): string {
  const prefix = vbd.driver === 'ioemu' ? 'hd' : 'xvd'
  const taken = new Set(siblings(store, vbd).map(other => other.device))
  const names = 'abcdefghijklmnopqrstuvwxyz'.split('').map(letter => prefix + letter)
  const free = names.find(name => !taken.has(name))
  if (free === undefined) throw fail('INVALID_VALUE', { field: 'device', value: 'no free device name' })
  return free
}
