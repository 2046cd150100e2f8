import { array, int, optional, uhyper, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { storagePool, storageVol, text, uuid } from '../types.ts'

/** Storage pools and volumes. Source: libvirt, src/remote/remote_protocol.x. */
export const storage = {
  CONNECT_NUM_OF_STORAGE_POOLS: procedure(71, 'virConnectNumOfStoragePools', {
    result: { num: int },
    priority: 'high',
  }),
  CONNECT_LIST_STORAGE_POOLS: procedure(72, 'virConnectListStoragePools', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.STORAGE_POOL_LIST_MAX) },
    priority: 'high',
  }),
  CONNECT_NUM_OF_DEFINED_STORAGE_POOLS: procedure(73, 'virConnectNumOfDefinedStoragePools', {
    result: { num: int },
    priority: 'high',
  }),
  CONNECT_LIST_DEFINED_STORAGE_POOLS: procedure(74, 'virConnectListDefinedStoragePools', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.STORAGE_POOL_LIST_MAX) },
    priority: 'high',
  }),
  CONNECT_FIND_STORAGE_POOL_SOURCES: procedure(75, 'virConnectFindStoragePoolSources', {
    args: { type: text, srcSpec: optional(text), flags: uint },
    result: { xml: text },
    writes: true,
  }),
  STORAGE_POOL_CREATE_XML: procedure(76, 'virStoragePoolCreateXML', {
    args: { xml: text, flags: uint },
    result: { pool: storagePool },
    writes: true,
  }),
  STORAGE_POOL_DEFINE_XML: procedure(77, 'virStoragePoolDefineXML', {
    args: { xml: text, flags: uint },
    result: { pool: storagePool },
    priority: 'high',
    writes: true,
  }),
  STORAGE_POOL_CREATE: procedure(78, 'virStoragePoolCreate', {
    args: { pool: storagePool, flags: uint },
    writes: true,
  }),
  STORAGE_POOL_BUILD: procedure(79, 'virStoragePoolBuild', { args: { pool: storagePool, flags: uint }, writes: true }),
  STORAGE_POOL_DESTROY: procedure(80, 'virStoragePoolDestroy', {
    args: { pool: storagePool },
    priority: 'high',
    writes: true,
  }),
  STORAGE_POOL_DELETE: procedure(81, 'virStoragePoolDelete', {
    args: { pool: storagePool, flags: uint },
    writes: true,
  }),
  STORAGE_POOL_UNDEFINE: procedure(82, 'virStoragePoolUndefine', {
    args: { pool: storagePool },
    priority: 'high',
    writes: true,
  }),
  STORAGE_POOL_REFRESH: procedure(83, 'virStoragePoolRefresh', {
    args: { pool: storagePool, flags: uint },
    writes: true,
  }),
  STORAGE_POOL_LOOKUP_BY_NAME: procedure(84, 'virStoragePoolLookupByName', {
    args: { name: text },
    result: { pool: storagePool },
    priority: 'high',
  }),
  STORAGE_POOL_LOOKUP_BY_UUID: procedure(85, 'virStoragePoolLookupByUUID', {
    args: { uuid: uuid },
    result: { pool: storagePool },
    priority: 'high',
  }),
  STORAGE_POOL_LOOKUP_BY_VOLUME: procedure(86, 'virStoragePoolLookupByVolume', {
    args: { vol: storageVol },
    result: { pool: storagePool },
    priority: 'high',
  }),
  STORAGE_POOL_GET_INFO: procedure(87, 'virStoragePoolGetInfo', {
    args: { pool: storagePool },
    result: { state: uint, capacity: uhyper, allocation: uhyper, available: uhyper },
    priority: 'high',
  }),
  STORAGE_POOL_GET_XML_DESC: procedure(88, 'virStoragePoolGetXMLDesc', {
    args: { pool: storagePool, flags: uint },
    result: { xml: text },
    priority: 'high',
  }),
  STORAGE_POOL_GET_AUTOSTART: procedure(89, 'virStoragePoolGetAutostart', {
    args: { pool: storagePool },
    result: { autostart: int },
    priority: 'high',
  }),
  STORAGE_POOL_SET_AUTOSTART: procedure(90, 'virStoragePoolSetAutostart', {
    args: { pool: storagePool, autostart: int },
    priority: 'high',
    writes: true,
  }),
  STORAGE_POOL_NUM_OF_VOLUMES: procedure(91, 'virStoragePoolNumOfVolumes', {
    args: { pool: storagePool },
    result: { num: int },
    priority: 'high',
  }),
  STORAGE_POOL_LIST_VOLUMES: procedure(92, 'virStoragePoolListVolumes', {
    args: { pool: storagePool, maxnames: int },
    result: { names: array(text, MAXIMA.STORAGE_VOL_LIST_MAX) },
    priority: 'high',
  }),
  STORAGE_VOL_CREATE_XML: procedure(93, 'virStorageVolCreateXML', {
    args: { pool: storagePool, xml: text, flags: uint },
    result: { vol: storageVol },
    writes: true,
  }),
  STORAGE_VOL_DELETE: procedure(94, 'virStorageVolDelete', { args: { vol: storageVol, flags: uint }, writes: true }),
  STORAGE_VOL_LOOKUP_BY_NAME: procedure(95, 'virStorageVolLookupByName', {
    args: { pool: storagePool, name: text },
    result: { vol: storageVol },
    priority: 'high',
  }),
  STORAGE_VOL_LOOKUP_BY_KEY: procedure(96, 'virStorageVolLookupByKey', {
    args: { key: text },
    result: { vol: storageVol },
    priority: 'high',
  }),
  STORAGE_VOL_LOOKUP_BY_PATH: procedure(97, 'virStorageVolLookupByPath', {
    args: { path: text },
    result: { vol: storageVol },
    priority: 'high',
  }),
  STORAGE_VOL_GET_INFO: procedure(98, 'virStorageVolGetInfo', {
    args: { vol: storageVol },
    result: { type: int, capacity: uhyper, allocation: uhyper },
    priority: 'high',
  }),
  STORAGE_VOL_GET_XML_DESC: procedure(99, 'virStorageVolGetXMLDesc', {
    args: { vol: storageVol, flags: uint },
    result: { xml: text },
    priority: 'high',
  }),
  STORAGE_VOL_GET_PATH: procedure(100, 'virStorageVolGetPath', {
    args: { vol: storageVol },
    result: { name: text },
    priority: 'high',
  }),
  STORAGE_VOL_CREATE_XML_FROM: procedure(125, 'virStorageVolCreateXMLFrom', {
    args: { pool: storagePool, xml: text, clonevol: storageVol, flags: uint },
    result: { vol: storageVol },
    writes: true,
  }),
  STORAGE_POOL_IS_ACTIVE: procedure(154, 'virStoragePoolIsActive', {
    args: { pool: storagePool },
    result: { active: int },
    priority: 'high',
  }),
  STORAGE_POOL_IS_PERSISTENT: procedure(155, 'virStoragePoolIsPersistent', {
    args: { pool: storagePool },
    result: { persistent: int },
    priority: 'high',
  }),
  STORAGE_VOL_WIPE: procedure(165, 'virStorageVolWipe', { args: { vol: storageVol, flags: uint }, writes: true }),
  STORAGE_VOL_UPLOAD: procedure(208, 'virStorageVolUpload', {
    args: { vol: storageVol, offset: uhyper, length: uhyper, flags: uint },
    stream: 'write',
    sparseFlag: 1,
    writes: true,
  }),
  STORAGE_VOL_DOWNLOAD: procedure(209, 'virStorageVolDownload', {
    args: { vol: storageVol, offset: uhyper, length: uhyper, flags: uint },
    stream: 'read',
    sparseFlag: 1,
    writes: true,
  }),
  STORAGE_VOL_WIPE_PATTERN: procedure(259, 'virStorageVolWipePattern', {
    args: { vol: storageVol, algorithm: uint, flags: uint },
    writes: true,
  }),
  STORAGE_VOL_RESIZE: procedure(260, 'virStorageVolResize', {
    args: { vol: storageVol, capacity: uhyper, flags: uint },
    writes: true,
  }),
  CONNECT_LIST_ALL_STORAGE_POOLS: procedure(281, 'virConnectListAllStoragePools', {
    args: { need_results: int, flags: uint },
    result: { pools: array(storagePool, MAXIMA.STORAGE_POOL_LIST_MAX), ret: uint },
    priority: 'high',
  }),
  STORAGE_POOL_LIST_ALL_VOLUMES: procedure(282, 'virStoragePoolListAllVolumes', {
    args: { pool: storagePool, need_results: int, flags: uint },
    result: { vols: array(storageVol, MAXIMA.STORAGE_VOL_LIST_MAX), ret: uint },
    priority: 'high',
  }),
  STORAGE_VOL_GET_INFO_FLAGS: procedure(378, 'virStorageVolGetInfoFlags', {
    args: { vol: storageVol, flags: uint },
    result: { type: int, capacity: uhyper, allocation: uhyper },
    priority: 'high',
  }),
  STORAGE_POOL_LOOKUP_BY_TARGET_PATH: procedure(391, 'virStoragePoolLookupByTargetPath', {
    args: { path: text },
    result: { pool: storagePool },
    priority: 'high',
  }),
  CONNECT_GET_STORAGE_POOL_CAPABILITIES: procedure(403, 'virConnectGetStoragePoolCapabilities', {
    args: { flags: uint },
    result: { capabilities: text },
  }),
}
