import { array, bytes, int, optional, struct, uhyper, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { charText, chars, nodeDevice, text, typedParam } from '../types.ts'

const nodeGetCpuStats = struct({ field: text, value: uhyper })
const nodeGetMemoryStats = struct({ field: text, value: uhyper })

/** The machine of a host, and its devices. Source: libvirt, src/remote/remote_protocol.x. */
export const nodes = {
  NODE_GET_INFO: procedure(6, 'virNodeGetInfo', {
    result: {
      model: charText(32),
      memory: uhyper,
      cpus: int,
      mhz: int,
      nodes: int,
      sockets: int,
      cores: int,
      threads: int,
    },
    priority: 'high',
  }),
  NODE_GET_CELLS_FREE_MEMORY: procedure(101, 'virNodeGetCellsFreeMemory', {
    args: { startCell: int, maxcells: int },
    result: { cells: array(uhyper, MAXIMA.NODE_MAX_CELLS) },
    priority: 'high',
  }),
  NODE_GET_FREE_MEMORY: procedure(102, 'virNodeGetFreeMemory', { result: { freeMem: uhyper }, priority: 'high' }),
  NODE_NUM_OF_DEVICES: procedure(111, 'virNodeNumOfDevices', {
    args: { cap: optional(text), flags: uint },
    result: { num: int },
    priority: 'high',
  }),
  NODE_LIST_DEVICES: procedure(112, 'virNodeListDevices', {
    args: { cap: optional(text), maxnames: int, flags: uint },
    result: { names: array(text, MAXIMA.NODE_DEVICE_LIST_MAX) },
    priority: 'high',
  }),
  NODE_DEVICE_LOOKUP_BY_NAME: procedure(113, 'virNodeDeviceLookupByName', {
    args: { name: text },
    result: { dev: nodeDevice },
    priority: 'high',
  }),
  NODE_DEVICE_GET_XML_DESC: procedure(114, 'virNodeDeviceGetXMLDesc', {
    args: { name: text, flags: uint },
    result: { xml: text },
  }),
  NODE_DEVICE_GET_PARENT: procedure(115, 'virNodeDeviceGetParent', {
    args: { name: text },
    result: { parentName: optional(text) },
    priority: 'high',
  }),
  NODE_DEVICE_NUM_OF_CAPS: procedure(116, 'virNodeDeviceNumOfCaps', {
    args: { name: text },
    result: { num: int },
    priority: 'high',
  }),
  NODE_DEVICE_LIST_CAPS: procedure(117, 'virNodeDeviceListCaps', {
    args: { name: text, maxnames: int },
    result: { names: array(text, MAXIMA.NODE_DEVICE_CAPS_LIST_MAX) },
    priority: 'high',
  }),
  NODE_GET_SECURITY_MODEL: procedure(122, 'virNodeGetSecurityModel', {
    result: { model: chars(MAXIMA.SECURITY_MODEL_MAX), doi: chars(MAXIMA.SECURITY_DOI_MAX) },
    priority: 'high',
  }),
  NODE_GET_CPU_STATS: procedure(227, 'virNodeGetCPUStats', {
    args: { cpuNum: int, nparams: int, flags: uint },
    result: { params: array(nodeGetCpuStats, MAXIMA.NODE_CPU_STATS_MAX), nparams: int },
    priority: 'high',
  }),
  NODE_GET_MEMORY_STATS: procedure(228, 'virNodeGetMemoryStats', {
    args: { nparams: int, cellNum: int, flags: uint },
    result: { params: array(nodeGetMemoryStats, MAXIMA.NODE_MEMORY_STATS_MAX), nparams: int },
    priority: 'high',
  }),
  CONNECT_LIST_ALL_NODE_DEVICES: procedure(285, 'virConnectListAllNodeDevices', {
    args: { need_results: int, flags: uint },
    result: { devices: array(nodeDevice, MAXIMA.NODE_DEVICE_LIST_MAX), ret: uint },
    priority: 'high',
  }),
  NODE_GET_MEMORY_PARAMETERS: procedure(289, 'virNodeGetMemoryParameters', {
    args: { nparams: int, flags: uint },
    result: { params: array(typedParam, MAXIMA.NODE_MEMORY_PARAMETERS_MAX), nparams: int },
  }),
  NODE_GET_CPU_MAP: procedure(293, 'virNodeGetCPUMap', {
    args: { need_map: int, need_online: int, flags: uint },
    result: { cpumap: bytes(MAXIMA.CPUMAP_MAX), online: uint, ret: int },
  }),
  NODE_DEVICE_LOOKUP_SCSI_HOST_BY_WWN: procedure(297, 'virNodeDeviceLookupSCSIHostByWWN', {
    args: { wwnn: text, wwpn: text, flags: uint },
    result: { dev: nodeDevice },
    priority: 'high',
  }),
  NODE_GET_FREE_PAGES: procedure(340, 'virNodeGetFreePages', {
    args: { pages: array(uint, MAXIMA.NODE_MAX_CELLS), startCell: int, cellCount: uint, flags: uint },
    result: { counts: array(uhyper, MAXIMA.NODE_MAX_CELLS) },
    priority: 'high',
  }),
  NODE_DEVICE_GET_AUTOSTART: procedure(433, 'virNodeDeviceGetAutostart', {
    args: { name: text },
    result: { autostart: int },
    priority: 'high',
    writes: true,
  }),
  NODE_DEVICE_IS_PERSISTENT: procedure(435, 'virNodeDeviceIsPersistent', {
    args: { name: text },
    result: { persistent: int },
    priority: 'high',
  }),
  NODE_DEVICE_IS_ACTIVE: procedure(436, 'virNodeDeviceIsActive', {
    args: { name: text },
    result: { active: int },
    priority: 'high',
  }),
}
