import type { RpcDomain } from '../../protocols/libvirt-rpc/index.ts'
import type { Domain } from '../domain.ts'

/** A domain as the wire names it. */
export const rpcDomain = (domain: Domain): RpcDomain => ({
  name: domain.getName(),
  uuid: domain.getUUIDString(),
  id: domain.getID(),
})

/** A truth as the wire has it. */
export const bit = (is: boolean): 0 | 1 => (is ? 1 : 0)
