import { type Context, implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VIF } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { isMac, randomMac } from './mac.ts'

/** RFC 791 asks every link for 68 octets; 65535 is the largest packet. */
const MTU_MIN = 68n
const MTU_MAX = 65_535n

/** Network interfaces. One made without a MAC address is given a random one. */
export const vifHandlers = implement(
  VIF,
  {},
  {
    check({ MAC, MTU }) {
      if (MAC !== '' && !isMac(MAC)) throw fail('INVALID_VALUE', { field: 'MAC', value: MAC.slice(0, 100) })
      if (MTU < MTU_MIN || MTU > MTU_MAX) throw fail('INVALID_VALUE', { field: 'MTU', value: String(MTU) })
    },

    async create({ store }: Context, vif: RecordOf<typeof VIF>) {
      const MAC = vif.MAC === '' ? randomMac() : vif.MAC
      await store.transact(transaction => transaction.insert(VIF, { ...vif, MAC }))
    },
  },
)
