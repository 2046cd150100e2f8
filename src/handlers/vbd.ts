import { type Context, implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VBD } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { checkVbd } from './device-rules.ts'
import { changeVbd, plugVbd, unplugVbd } from './plug.ts'

type VbdRecord = RecordOf<typeof VBD>

/**
 * Block devices. Those of a VM that runs are plugged in and pulled out at once; what a device is (its name, its mode,
 * its driver) counts from the next time it is plugged in.
 */
export const vbdHandlers = implement(
  VBD,
  {
    async insert(context, { vbd, vdi }) {
      checkRemovable(context, vbd)
      await change(context, vbd, { VDI: vdi })
      return null
    },

    async eject(context, { vbd }) {
      checkRemovable(context, vbd)
      await change(context, vbd, { VDI: NULL_REF })
      return null
    },
  },
  {
    check: (vbd, { store }) => checkVbd(store, vbd),
    create: plugVbd,
    delete: unplugVbd,
    set: {
      VM: (context, ref, vm) => change(context, ref, { VM: vm }),
      VDI: (context, ref, vdi) => change(context, ref, { VDI: vdi }),
    },
  },
)

async function change(context: Context, ref: string, values: Pick<Partial<VbdRecord>, 'VM' | 'VDI'>): Promise<void> {
  const before = context.store.get(VBD, ref)
  if (before !== undefined) checkVbd(context.store, { ...before, ...values })
  await changeVbd(context, ref, values)
}

function checkRemovable({ store }: Context, ref: string): void {
  if (store.get(VBD, ref)?.type !== 'Disk') return
  throw fail('OPERATION_NOT_ALLOWED', { reason: `VBD ${ref} is a disk; only CD and floppy drives change their medium` })
}
