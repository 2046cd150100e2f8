import type { Handlers, RpcServerConnection } from '../../../protocols/libvirt-rpc/index.ts'
import type { Connection } from '../../connection.ts'
import { VIR_STORAGE_POOL_EVENT_ID_REFRESH } from '../../flags/index.ts'
import type { StoragePool } from '../../storage-pool.ts'
import type { Client } from '../client.ts'
import { LateEvents } from '../late-events.ts'
import { bit, namedPool, namedVolume, rpcPool, rpcVolumeIn } from '../wire.ts'

/** Tells a client of an event, with the number of the callback that it is for. */
type Emit = (rpc: RpcServerConnection, callbackID: number) => void

function register(
  connection: Connection,
  which: StoragePool | null,
  eventID: number,
  emit: (tell: Emit) => void,
): Promise<number> {
  if (eventID === VIR_STORAGE_POOL_EVENT_ID_REFRESH) {
    return connection.storagePoolEventRegisterAny(which, eventID, found => {
      const pool = rpcPool(found)
      emit((rpc, callbackID) => rpc.emit('STORAGE_POOL_EVENT_REFRESH', { callbackID, pool }))
    })
  }
  return connection.storagePoolEventRegisterAny(which, eventID, (found, event, detail) => {
    const pool = rpcPool(found)
    emit((rpc, callbackID) => rpc.emit('STORAGE_POOL_EVENT_LIFECYCLE', { callbackID, pool, event, detail }))
  })
}

/** Storage pools: finding them, describing them, their life. */
export const poolHandlers: Handlers<Client> = {
  CONNECT_NUM_OF_STORAGE_POOLS: async (_, { context }) => ({ num: await context.connection.numOfStoragePools() }),
  CONNECT_LIST_STORAGE_POOLS: async ({ maxnames }, { context }) => ({
    names: await context.connection.listStoragePools(maxnames),
  }),
  CONNECT_NUM_OF_DEFINED_STORAGE_POOLS: async (_, { context }) => ({
    num: await context.connection.numOfDefinedStoragePools(),
  }),
  CONNECT_LIST_DEFINED_STORAGE_POOLS: async ({ maxnames }, { context }) => ({
    names: await context.connection.listDefinedStoragePools(maxnames),
  }),
  async CONNECT_LIST_ALL_STORAGE_POOLS({ need_results, flags }, { context }) {
    const pools = await context.connection.listAllStoragePools(flags)
    return { pools: need_results === 0 ? [] : pools.map(rpcPool), ret: pools.length }
  },
  CONNECT_FIND_STORAGE_POOL_SOURCES: async ({ type, srcSpec, flags }, { context }) => ({
    xml: await context.connection.findStoragePoolSources(type, srcSpec, flags),
  }),
  CONNECT_GET_STORAGE_POOL_CAPABILITIES: async ({ flags }, { context }) => ({
    capabilities: await context.connection.getStoragePoolCapabilities(flags),
  }),
  STORAGE_POOL_LOOKUP_BY_NAME: async ({ name }, { context }) => ({
    pool: rpcPool(await context.connection.storagePoolLookupByName(name)),
  }),
  STORAGE_POOL_LOOKUP_BY_UUID: async ({ uuid }, { context }) => ({
    pool: rpcPool(await context.connection.storagePoolLookupByUUID(uuid)),
  }),
  STORAGE_POOL_LOOKUP_BY_VOLUME: async ({ vol }, { context }) => ({
    pool: rpcPool(await context.connection.storagePoolLookupByVolume(namedVolume(context, vol))),
  }),
  STORAGE_POOL_LOOKUP_BY_TARGET_PATH: async ({ path }, { context }) => ({
    pool: rpcPool(await context.connection.storagePoolLookupByTargetPath(path)),
  }),
  STORAGE_POOL_DEFINE_XML: async ({ xml, flags }, { context }) => ({
    pool: rpcPool(await context.connection.storagePoolDefineXML(xml, flags)),
  }),
  STORAGE_POOL_CREATE_XML: async ({ xml, flags }, { context }) => ({
    pool: rpcPool(await context.connection.storagePoolCreateXML(xml, flags)),
  }),
  STORAGE_POOL_BUILD: ({ pool, flags }, { context }) => namedPool(context, pool).build(flags),
  STORAGE_POOL_CREATE: ({ pool, flags }, { context }) => namedPool(context, pool).create(flags),
  STORAGE_POOL_DESTROY: ({ pool }, { context }) => namedPool(context, pool).destroy(),
  STORAGE_POOL_DELETE: ({ pool, flags }, { context }) => namedPool(context, pool).delete(flags),
  STORAGE_POOL_UNDEFINE: ({ pool }, { context }) => namedPool(context, pool).undefine(),
  STORAGE_POOL_REFRESH: ({ pool, flags }, { context }) => namedPool(context, pool).refresh(flags),
  STORAGE_POOL_GET_INFO: async ({ pool }, { context }) => namedPool(context, pool).getInfo(),
  STORAGE_POOL_GET_XML_DESC: async ({ pool, flags }, { context }) => ({
    xml: await namedPool(context, pool).getXMLDesc(flags),
  }),
  STORAGE_POOL_GET_AUTOSTART: async ({ pool }, { context }) => ({
    autostart: bit(await namedPool(context, pool).getAutostart()),
  }),
  STORAGE_POOL_SET_AUTOSTART: ({ pool, autostart }, { context }) => namedPool(context, pool).setAutostart(autostart),
  STORAGE_POOL_IS_ACTIVE: async ({ pool }, { context }) => ({ active: bit(await namedPool(context, pool).isActive()) }),
  STORAGE_POOL_IS_PERSISTENT: async ({ pool }, { context }) => ({
    persistent: bit(await namedPool(context, pool).isPersistent()),
  }),
  STORAGE_POOL_NUM_OF_VOLUMES: async ({ pool }, { context }) => ({
    num: await namedPool(context, pool).numOfVolumes(),
  }),
  STORAGE_POOL_LIST_VOLUMES: async ({ pool, maxnames }, { context }) => ({
    names: await namedPool(context, pool).listVolumes(maxnames),
  }),
  async STORAGE_POOL_LIST_ALL_VOLUMES({ pool, need_results, flags }, { context }) {
    const volumes = await namedPool(context, pool).listAllVolumes(flags)
    return { vols: need_results === 0 ? [] : volumes.map(rpcVolumeIn(pool)), ret: volumes.length }
  },
  async CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY({ eventID, pool }, { context, connection: rpc }) {
    const which = pool === null ? null : namedPool(context, pool)
    const late = new LateEvents<Emit>(() => rpc.close())
    const callbackID = await register(context.connection, which, eventID, tell => late.push(tell))
    late.openAfterAnswer(tell => tell(rpc, callbackID))
    return { callbackID }
  },
  CONNECT_STORAGE_POOL_EVENT_DEREGISTER_ANY: ({ callbackID }, { context }) =>
    context.connection.storagePoolEventDeregisterAny(callbackID),
}
