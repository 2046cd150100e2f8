import { implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VIF } from '../model/index.ts'
import { isMac, randomMac } from './mac.ts'
import { changeVif, plugVif, unplugVif } from './plug.ts'

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
    create: (context, vif) => plugVif(context, { ...vif, MAC: vif.MAC === '' ? randomMac() : vif.MAC }),
    delete: unplugVif,
    set: {
      VM: (context, ref, vm) => done(changeVif(context, ref, { VM: vm })),
      network: (context, ref, network) => done(changeVif(context, ref, { network })),
    },
  },
)

async function done(work: Promise<unknown>): Promise<void> {
  await work
}
