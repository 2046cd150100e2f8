import { type Context, implement, type Store } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VBD, VDI, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { alone, changeVbd, plugVbd, unplugVbd } from './plug.ts'

type VbdRecord = RecordOf<typeof VBD>

/**
 * Block devices. Those of a VM that runs are plugged in and pulled out at once; what a device is (its name, its mode,
 * its driver) counts from the next time it is plugged in.
 */
export const vbdHandlers = implement(
  VBD,
  {
    insert(context, { vbd, vdi }) {
      checkRemovable(context, vbd)
      return change(context, vbd, { VDI: vdi })
    },

    eject(context, { vbd }) {
      checkRemovable(context, vbd)
      return change(context, vbd, { VDI: NULL_REF })
    },
  },
  {
    check,
    create: (context, vbd) =>
      alone(context, [vbd.VM], () => plugVbd(context, { ...vbd, device: deviceOf(context.store, vbd) })),
    delete: (context, ref) =>
      alone(context, [context.store.get(VBD, ref)?.VM ?? NULL_REF], () => unplugVbd(context, ref)),
    set: {
      VM: (context, ref, vm) => changeVbd(context, ref, { VM: vm }),
      VDI: (context, ref, vdi) => changeVbd(context, ref, { VDI: vdi }),
    },
  },
)

async function change(context: Context, ref: string, values: Partial<VbdRecord>): Promise<null> {
  const before = context.store.get(VBD, ref)
  if (before !== undefined) check({ ...before, ...values }, context)
  await changeVbd(context, ref, values)
  return null
}

function checkRemovable({ store }: Context, ref: string): void {
  if (store.get(VBD, ref)?.type !== 'Disk') return
  throw fail('OPERATION_NOT_ALLOWED', { reason: `VBD ${ref} is a disk; only CD and floppy drives change their medium` })
}

function check(vbd: VbdRecord, { store }: Context): void {
  const vdi = vbd.VDI === NULL_REF ? undefined : store.get(VDI, vbd.VDI)
  const isWritten = vbd.mode === 'RW' && vbd.type !== 'CD'
  if (vdi?.read_only === true && isWritten) throw fail('INVALID_VALUE', { field: 'mode', value: 'RW' })
  if (vbd.device !== '' && !/^[\w/-]{1,64}$/.test(vbd.device)) {
    throw fail('INVALID_VALUE', { field: 'device', value: vbd.device.slice(0, 100) })
  }
  const twin = siblings(store, vbd).find(other => other.device === vbd.device)
  if (vbd.device !== '' && twin !== undefined) {
    throw fail('VM_DUPLICATE_VBD_DEVICE', { vm: vbd.VM, vbd: twin.uuid, device: vbd.device })
  }
}

function siblings(store: Store, vbd: VbdRecord): VbdRecord[] {
  if (vbd.VM === NULL_REF) return []
  const all = store.get(VM, vbd.VM)?.VBDs ?? []
  return all.filter(ref => ref !== vbd.uuid).flatMap(ref => store.get(VBD, ref) ?? [])
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('')
/** A CD drive is where a PC has it: on the second channel, if that is free. */
const CD_PLACES = ['hdc', 'hdd', 'hdb', 'hda']

/** The name it was given, else the first that no other device of the VM has, by its kind. */
function deviceOf(store: Store, vbd: VbdRecord): string {
  if (vbd.device !== '' || vbd.VM === NULL_REF) return vbd.device
  const taken = new Set(siblings(store, vbd).map(other => other.device))
  const prefix = vbd.type === 'Floppy' ? 'fd' : vbd.driver === 'ioemu' ? 'hd' : 'xvd'
  const names = vbd.type === 'CD' ? CD_PLACES : LETTERS.map(letter => prefix + letter)
  const free = names.find(name => !taken.has(name))
  if (free === undefined) throw fail('INVALID_VALUE', { field: 'device', value: 'no free device name' })
  return free
}
