import { array, int, optional, uhyper, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { domain, text, typedParam, uuid } from '../types.ts'

/** Domains: finding them, describing them, their life. Source: libvirt, src/remote/remote_protocol.x. */
export const domains = {
  DOMAIN_CREATE: procedure(9, 'virDomainCreate', { args: { dom: domain }, writes: true }),
  DOMAIN_CREATE_XML: procedure(10, 'virDomainCreateXML', {
    args: { xml_desc: text, flags: uint },
    result: { dom: domain },
    writes: true,
  }),
  DOMAIN_DEFINE_XML: procedure(11, 'virDomainDefineXML', {
    args: { xml: text },
    result: { dom: domain },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_DESTROY: procedure(12, 'virDomainDestroy', { args: { dom: domain }, priority: 'high', writes: true }),
  DOMAIN_GET_XML_DESC: procedure(14, 'virDomainGetXMLDesc', {
    args: { dom: domain, flags: uint },
    result: { xml: text },
    writesWhere: { flags: 9 },
  }),
  DOMAIN_GET_AUTOSTART: procedure(15, 'virDomainGetAutostart', {
    args: { dom: domain },
    result: { autostart: int },
    priority: 'high',
  }),
  DOMAIN_GET_INFO: procedure(16, 'virDomainGetInfo', {
    args: { dom: domain },
    result: { state: uint, maxMem: uhyper, memory: uhyper, nrVirtCpu: uint, cpuTime: uhyper },
  }),
  DOMAIN_GET_OS_TYPE: procedure(19, 'virDomainGetOSType', {
    args: { dom: domain },
    result: { type: text },
    priority: 'high',
  }),
  CONNECT_LIST_DEFINED_DOMAINS: procedure(21, 'virConnectListDefinedDomains', {
    args: { maxnames: int },
    result: { names: array(text, MAXIMA.DOMAIN_LIST_MAX) },
    priority: 'high',
  }),
  DOMAIN_LOOKUP_BY_ID: procedure(22, 'virDomainLookupByID', {
    args: { id: int },
    result: { dom: domain },
    priority: 'high',
  }),
  DOMAIN_LOOKUP_BY_NAME: procedure(23, 'virDomainLookupByName', {
    args: { name: text },
    result: { dom: domain },
    priority: 'high',
  }),
  DOMAIN_LOOKUP_BY_UUID: procedure(24, 'virDomainLookupByUUID', {
    args: { uuid: uuid },
    result: { dom: domain },
    priority: 'high',
  }),
  CONNECT_NUM_OF_DEFINED_DOMAINS: procedure(25, 'virConnectNumOfDefinedDomains', {
    result: { num: int },
    priority: 'high',
  }),
  DOMAIN_REBOOT: procedure(27, 'virDomainReboot', { args: { dom: domain, flags: uint }, writes: true }),
  DOMAIN_RESUME: procedure(28, 'virDomainResume', { args: { dom: domain }, writes: true }),
  DOMAIN_SET_AUTOSTART: procedure(29, 'virDomainSetAutostart', {
    args: { dom: domain, autostart: int },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_SHUTDOWN: procedure(33, 'virDomainShutdown', { args: { dom: domain }, writes: true }),
  DOMAIN_SUSPEND: procedure(34, 'virDomainSuspend', { args: { dom: domain }, writes: true }),
  DOMAIN_UNDEFINE: procedure(35, 'virDomainUndefine', { args: { dom: domain }, priority: 'high', writes: true }),
  CONNECT_LIST_DOMAINS: procedure(37, 'virConnectListDomains', {
    args: { maxids: int },
    result: { ids: array(int, MAXIMA.DOMAIN_LIST_MAX) },
    priority: 'high',
  }),
  CONNECT_NUM_OF_DOMAINS: procedure(51, 'virConnectNumOfDomains', { result: { num: int }, priority: 'high' }),
  DOMAIN_CORE_DUMP: procedure(53, 'virDomainCoreDump', { args: { dom: domain, to: text, flags: uint }, writes: true }),
  DOMAIN_RESTORE: procedure(54, 'virDomainRestore', { args: { from: text }, writes: true }),
  DOMAIN_SAVE: procedure(55, 'virDomainSave', { args: { dom: domain, to: text }, writes: true }),
  DOMAIN_IS_ACTIVE: procedure(150, 'virDomainIsActive', {
    args: { dom: domain },
    result: { active: int },
    priority: 'high',
  }),
  DOMAIN_IS_PERSISTENT: procedure(151, 'virDomainIsPersistent', {
    args: { dom: domain },
    result: { persistent: int },
    priority: 'high',
  }),
  DOMAIN_GET_JOB_INFO: procedure(163, 'virDomainGetJobInfo', {
    args: { dom: domain },
    result: {
      type: int,
      timeElapsed: uhyper,
      timeRemaining: uhyper,
      dataTotal: uhyper,
      dataProcessed: uhyper,
      dataRemaining: uhyper,
      memTotal: uhyper,
      memProcessed: uhyper,
      memRemaining: uhyper,
      fileTotal: uhyper,
      fileProcessed: uhyper,
      fileRemaining: uhyper,
    },
  }),
  DOMAIN_ABORT_JOB: procedure(164, 'virDomainAbortJob', { args: { dom: domain }, writes: true }),
  DOMAIN_MANAGED_SAVE: procedure(182, 'virDomainManagedSave', { args: { dom: domain, flags: uint }, writes: true }),
  DOMAIN_HAS_MANAGED_SAVE_IMAGE: procedure(183, 'virDomainHasManagedSaveImage', {
    args: { dom: domain, flags: uint },
    result: { result: int },
  }),
  DOMAIN_MANAGED_SAVE_REMOVE: procedure(184, 'virDomainManagedSaveRemove', {
    args: { dom: domain, flags: uint },
    writes: true,
  }),
  DOMAIN_CREATE_WITH_FLAGS: procedure(196, 'virDomainCreateWithFlags', {
    args: { dom: domain, flags: uint },
    result: { dom: domain },
    writes: true,
  }),
  DOMAIN_IS_UPDATED: procedure(202, 'virDomainIsUpdated', {
    args: { dom: domain },
    result: { updated: int },
    priority: 'high',
  }),
  DOMAIN_GET_STATE: procedure(212, 'virDomainGetState', {
    args: { dom: domain, flags: uint },
    result: { state: int, reason: int },
    priority: 'high',
  }),
  DOMAIN_GET_CONTROL_INFO: procedure(229, 'virDomainGetControlInfo', {
    args: { dom: domain, flags: uint },
    result: { state: uint, details: uint, stateTime: uhyper },
    priority: 'high',
  }),
  DOMAIN_UNDEFINE_FLAGS: procedure(231, 'virDomainUndefineFlags', {
    args: { dom: domain, flags: uint },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_SAVE_FLAGS: procedure(232, 'virDomainSaveFlags', {
    args: { dom: domain, to: text, dxml: optional(text), flags: uint },
    writes: true,
  }),
  DOMAIN_RESTORE_FLAGS: procedure(233, 'virDomainRestoreFlags', {
    args: { from: text, dxml: optional(text), flags: uint },
    writes: true,
  }),
  DOMAIN_DESTROY_FLAGS: procedure(234, 'virDomainDestroyFlags', {
    args: { dom: domain, flags: uint },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_SAVE_IMAGE_GET_XML_DESC: procedure(235, 'virDomainSaveImageGetXMLDesc', {
    args: { file: text, flags: uint },
    result: { xml: text },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_SAVE_IMAGE_DEFINE_XML: procedure(236, 'virDomainSaveImageDefineXML', {
    args: { file: text, dxml: text, flags: uint },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_RESET: procedure(245, 'virDomainReset', { args: { dom: domain, flags: uint }, writes: true }),
  DOMAIN_SHUTDOWN_FLAGS: procedure(258, 'virDomainShutdownFlags', { args: { dom: domain, flags: uint }, writes: true }),
  DOMAIN_PM_SUSPEND_FOR_DURATION: procedure(261, 'virDomainPMSuspendForDuration', {
    args: { dom: domain, target: uint, duration: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_SET_METADATA: procedure(264, 'virDomainSetMetadata', {
    args: { dom: domain, type: int, metadata: optional(text), key: optional(text), uri: optional(text), flags: uint },
    writes: true,
  }),
  DOMAIN_GET_METADATA: procedure(265, 'virDomainGetMetadata', {
    args: { dom: domain, type: int, uri: optional(text), flags: uint },
    result: { metadata: text },
  }),
  DOMAIN_PM_WAKEUP: procedure(267, 'virDomainPMWakeup', { args: { dom: domain, flags: uint }, writes: true }),
  CONNECT_LIST_ALL_DOMAINS: procedure(273, 'virConnectListAllDomains', {
    args: { need_results: int, flags: uint },
    result: { domains: array(domain, MAXIMA.DOMAIN_LIST_MAX), ret: uint },
    priority: 'high',
  }),
  DOMAIN_GET_HOSTNAME: procedure(277, 'virDomainGetHostname', {
    args: { dom: domain, flags: uint },
    result: { hostname: text },
    writes: true,
  }),
  DOMAIN_GET_JOB_STATS: procedure(298, 'virDomainGetJobStats', {
    args: { dom: domain, flags: uint },
    result: { type: int, params: array(typedParam, MAXIMA.DOMAIN_JOB_STATS_MAX) },
  }),
  DOMAIN_CORE_DUMP_WITH_FORMAT: procedure(334, 'virDomainCoreDumpWithFormat', {
    args: { dom: domain, to: text, dumpformat: uint, flags: uint },
    writes: true,
  }),
  DOMAIN_DEFINE_XML_FLAGS: procedure(350, 'virDomainDefineXMLFlags', {
    args: { xml: text, flags: uint },
    result: { dom: domain },
    priority: 'high',
    writes: true,
  }),
  DOMAIN_RENAME: procedure(358, 'virDomainRename', {
    args: { dom: domain, new_name: optional(text), flags: uint },
    result: { retcode: int },
    writes: true,
  }),
  DOMAIN_MANAGED_SAVE_GET_XML_DESC: procedure(388, 'virDomainManagedSaveGetXMLDesc', {
    args: { dom: domain, flags: uint },
    result: { xml: text },
    writesWhere: { flags: 1 },
  }),
  DOMAIN_MANAGED_SAVE_DEFINE_XML: procedure(389, 'virDomainManagedSaveDefineXML', {
    args: { dom: domain, dxml: optional(text), flags: uint },
    writes: true,
  }),
  DOMAIN_SET_LIFECYCLE_ACTION: procedure(390, 'virDomainSetLifecycleAction', {
    args: { dom: domain, type: uint, action: uint, flags: uint },
    writes: true,
  }),
  DOMAIN_GET_GUEST_INFO: procedure(418, 'virDomainGetGuestInfo', {
    args: { dom: domain, types: uint, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_GUEST_INFO_PARAMS_MAX) },
    writes: true,
  }),
  DOMAIN_ABORT_JOB_FLAGS: procedure(442, 'virDomainAbortJobFlags', {
    args: { dom: domain, flags: uint },
    writes: true,
  }),
}
