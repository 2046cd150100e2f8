import type { RpcDomain, RpcStoragePool, RpcStorageVol } from '../../protocols/libvirt-rpc/index.ts'
import type { Domain } from '../domain.ts'
import type { Host } from '../host.ts'
import { PRIMORDIAL } from '../pool-place.ts'
import { StoragePool } from '../storage-pool.ts'
import { StorageVol } from '../storage-vol.ts'

/** Where what a client names is. */
interface OfHost {
  readonly host: Host
}

/** A domain as the wire names it. */
export const rpcDomain = (domain: Domain): RpcDomain => ({
  name: domain.getName(),
  uuid: domain.getUUIDString(),
  id: domain.getID(),
})

/** A truth as the wire has it. */
export const bit = (is: boolean): 0 | 1 => (is ? 1 : 0)

/** A storage pool as the wire names it. */
export const rpcPool = (pool: StoragePool): RpcStoragePool => ({ name: pool.getName(), uuid: pool.getUUIDString() })

/** The pool that a client names; whether there is one shows when something is asked of it. */
export const namedPool = ({ host }: OfHost, pool: RpcStoragePool): StoragePool => new StoragePool(host, pool)

/** A volume of a pool as the wire names it. */
export const rpcVolumeIn =
  ({ name: pool }: Pick<RpcStoragePool, 'name'>) =>
  (volume: StorageVol): RpcStorageVol => ({ pool, name: volume.getName(), key: volume.getKey() })

/** The volume that a client names; whether there is one shows when something is asked of it. */
export const namedVolume = ({ host }: OfHost, { pool, key }: RpcStorageVol): StorageVol =>
  new StorageVol(host, key, pool === PRIMORDIAL)
