import { implement, type Store } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VIF, VM } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { NULL_REF } from '../model/kernel/types.ts'
import { isMac, randomMac } from './mac.ts'
import { alone, changeVif, connectVif, plugVif, unplugVif } from './plug.ts'

type VifRecord = RecordOf<typeof VIF>

/** RFC 791 asks every link for 68 octets; 65535 is the largest packet. */
const MTU_MIN = 68n
const MTU_MAX = 65_535n

/**
 * Network interfaces. One made without a MAC address is given a random one. Those of a VM that runs are plugged in and
 * pulled out at once, and their cable moves at once; what an interface is counts from the next time it is plugged in.
 */
export const vifHandlers = implement(
  VIF,
  {},
  {
    check({ MAC, MTU }) {
      if (MAC !== '' && !isMac(MAC)) throw fail('INVALID_VALUE', { field: 'MAC', value: MAC.slice(0, 100) })
      if (MTU < MTU_MIN || MTU > MTU_MAX) throw fail('INVALID_VALUE', { field: 'MTU', value: String(MTU) })
    },
    create: (context, vif) =>
      alone(context, [vif.VM], () => {
        const MAC = vif.MAC === '' ? randomMac() : vif.MAC
        return plugVif(context, { ...vif, MAC, device: deviceOf(context.store, vif) })
      }),
    delete: (context, ref) =>
      alone(context, [context.store.get(VIF, ref)?.VM ?? NULL_REF], () => unplugVif(context, ref)),
    set: {
      VM: (context, ref, vm) => changeVif(context, ref, { VM: vm }),
      network: (context, ref, network) => connectVif(context, ref, network),
    },
  },
)

/** Interfaces that a VM may have before names run out; no machine has room for so many. */
const NAMES_MAX = 1000

/** The name it was given, else the first of eth0, eth1 and so on that no other interface of the VM has. */
function deviceOf(store: Store, { device, VM: vm }: VifRecord): string {
  if (device !== '' || vm === NULL_REF) return device
  const others = (store.get(VM, vm)?.VIFs ?? []).flatMap(ref => store.get(VIF, ref) ?? [])
  const taken = new Set(others.map(other => other.device))
  const names = Array.from({ length: NAMES_MAX }, (_, number) => `eth${number}`)
  const free = names.find(name => !taken.has(name))
  if (free === undefined) throw fail('INVALID_VALUE', { field: 'device', value: 'no free device name' })
  return free
}
