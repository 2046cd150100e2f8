/** What devices of a VM are called, and how they may be used. */

import type { Store } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VBD, VDI, VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'

type VbdRecord = RecordOf<typeof VBD>
type VifRecord = RecordOf<typeof VIF>

/** Throws INVALID_VALUE or VM_DUPLICATE_VBD_DEVICE where a block device cannot be as it is described. */
export function checkVbd(store: Store, vbd: VbdRecord): void {
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

/** The name it was given, else the first that no other block device of the VM has, by its kind. Throws INVALID_VALUE. */
export function blockDeviceName(store: Store, vbd: VbdRecord): string {
  if (vbd.device !== '' || vbd.VM === NULL_REF) return vbd.device
  const taken = new Set(siblings(store, vbd).map(other => other.device))
  const prefix = vbd.type === 'Floppy' ? 'fd' : vbd.driver === 'ioemu' ? 'hd' : 'xvd'
  const names = vbd.type === 'CD' ? CD_PLACES : LETTERS.map(letter => prefix + letter)
  return firstFree(names, taken)
}

/** Interfaces that a VM may have before names run out; no machine has room for so many. */
const NICS_MAX = 1000

/** The name it was given, else the first of eth0, eth1 and so on that no other interface of the VM has. Throws INVALID_VALUE. */
export function interfaceName(store: Store, { device, VM: vm, uuid }: VifRecord): string {
  if (device !== '' || vm === NULL_REF) return device
  const others = (store.get(VM, vm)?.VIFs ?? []).filter(ref => ref !== uuid).flatMap(ref => store.get(VIF, ref) ?? [])
  const names = Array.from({ length: NICS_MAX }, (_, number) => `eth${number}`)
  return firstFree(names, new Set(others.map(other => other.device)))
}

function firstFree(names: readonly string[], taken: ReadonlySet<string>): string {
  const free = names.find(name => !taken.has(name))
  if (free === undefined) throw fail('INVALID_VALUE', { field: 'device', value: 'no free device name' })
  return free
}
