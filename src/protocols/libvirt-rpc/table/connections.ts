import { array, int, optional, struct, uhyper, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { chars, domain, text, typedParam } from '../types.ts'

const domainStatsRecord = struct({ dom: domain, params: array(typedParam, MAXIMA.CONNECT_GET_ALL_DOMAIN_STATS_MAX) })

/** Connecting, and what is asked of a host as a whole. Source: libvirt, src/remote/remote_protocol.x. */
export const connections = {
  CONNECT_OPEN: procedure(1, 'virConnectOpen', { args: { name: optional(text), flags: uint }, priority: 'high' }),
  CONNECT_CLOSE: procedure(2, 'virConnectClose', { priority: 'high' }),
  CONNECT_GET_TYPE: procedure(3, 'virConnectGetType', { result: { type: text }, priority: 'high' }),
  CONNECT_GET_VERSION: procedure(4, 'virConnectGetVersion', { result: { hv_ver: uhyper }, priority: 'high' }),
  CONNECT_GET_MAX_VCPUS: procedure(5, 'virConnectGetMaxVcpus', {
    args: { type: optional(text) },
    result: { max_vcpus: int },
    priority: 'high',
  }),
  CONNECT_GET_CAPABILITIES: procedure(7, 'virConnectGetCapabilities', { result: { capabilities: text } }),
  CONNECT_GET_HOSTNAME: procedure(59, 'virConnectGetHostname', { result: { hostname: text }, priority: 'high' }),
  CONNECT_SUPPORTS_FEATURE: procedure(60, 'virConnectSupportsFeature', {
    args: { feature: int },
    result: { supported: int },
    priority: 'high',
  }),
  AUTH_LIST: procedure(66, 'virConnectOpen', {
    result: { types: array(int, MAXIMA.AUTH_TYPE_LIST_MAX) },
    priority: 'high',
    beforeLogin: true,
  }),
  AUTH_SASL_INIT: procedure(67, 'virConnectOpen', { result: { mechlist: text }, priority: 'high', beforeLogin: true }),
  AUTH_SASL_START: procedure(68, 'virConnectOpen', {
    args: { mech: text, nil: int, data: chars(MAXIMA.AUTH_SASL_DATA_MAX) },
    result: { complete: int, nil: int, data: chars(MAXIMA.AUTH_SASL_DATA_MAX) },
    priority: 'high',
    beforeLogin: true,
  }),
  AUTH_SASL_STEP: procedure(69, 'virConnectOpen', {
    args: { nil: int, data: chars(MAXIMA.AUTH_SASL_DATA_MAX) },
    result: { complete: int, nil: int, data: chars(MAXIMA.AUTH_SASL_DATA_MAX) },
    priority: 'high',
    beforeLogin: true,
  }),
  CONNECT_GET_URI: procedure(110, 'virConnectGetURI', { result: { uri: text }, priority: 'high' }),
  CONNECT_DOMAIN_XML_FROM_NATIVE: procedure(135, 'virConnectDomainXMLFromNative', {
    args: { nativeFormat: text, nativeConfig: text, flags: uint },
    result: { domainXml: text },
    writes: true,
  }),
  CONNECT_DOMAIN_XML_TO_NATIVE: procedure(136, 'virConnectDomainXMLToNative', {
    args: { nativeFormat: text, domainXml: text, flags: uint },
    result: { nativeConfig: text },
    writes: true,
  }),
  CONNECT_IS_SECURE: procedure(149, 'virConnectIsSecure', { result: { secure: int }, priority: 'high' }),
  CONNECT_GET_LIB_VERSION: procedure(157, 'virConnectGetLibVersion', { result: { lib_ver: uhyper }, priority: 'high' }),
  CONNECT_COMPARE_CPU: procedure(158, 'virConnectCompareCPU', {
    args: { xml: text, flags: uint },
    result: { result: int },
    priority: 'high',
  }),
  CONNECT_BASELINE_CPU: procedure(162, 'virConnectBaselineCPU', {
    args: { xmlCPUs: array(text, MAXIMA.CPU_BASELINE_MAX), flags: uint },
    result: { cpu: text },
  }),
  CONNECT_GET_SYSINFO: procedure(203, 'virConnectGetSysinfo', {
    args: { flags: uint },
    result: { sysinfo: text },
    priority: 'high',
  }),
  CONNECT_GET_CPU_MODEL_NAMES: procedure(312, 'virConnectGetCPUModelNames', {
    args: { arch: text, need_results: int, flags: uint },
    result: { models: array(text, MAXIMA.CONNECT_CPU_MODELS_MAX), ret: int },
  }),
  CONNECT_GET_DOMAIN_CAPABILITIES: procedure(342, 'virConnectGetDomainCapabilities', {
    args: {
      emulatorbin: optional(text),
      arch: optional(text),
      machine: optional(text),
      virttype: optional(text),
      flags: uint,
    },
    result: { capabilities: text },
    writes: true,
  }),
  CONNECT_GET_ALL_DOMAIN_STATS: procedure(344, 'virConnectGetAllDomainStats', {
    args: { doms: array(domain, MAXIMA.DOMAIN_LIST_MAX), stats: uint, flags: uint },
    result: { retStats: array(domainStatsRecord, MAXIMA.DOMAIN_LIST_MAX) },
  }),
  CONNECT_REGISTER_CLOSE_CALLBACK: procedure(360, 'virConnectRegisterCloseCallback', { priority: 'high' }),
  CONNECT_UNREGISTER_CLOSE_CALLBACK: procedure(361, 'virConnectUnregisterCloseCallback', { priority: 'high' }),
  CONNECT_COMPARE_HYPERVISOR_CPU: procedure(393, 'virConnectCompareHypervisorCPU', {
    args: {
      emulator: optional(text),
      arch: optional(text),
      machine: optional(text),
      virttype: optional(text),
      xmlCPU: text,
      flags: uint,
    },
    result: { result: int },
    writes: true,
  }),
  CONNECT_BASELINE_HYPERVISOR_CPU: procedure(394, 'virConnectBaselineHypervisorCPU', {
    args: {
      emulator: optional(text),
      arch: optional(text),
      machine: optional(text),
      virttype: optional(text),
      xmlCPUs: array(text, MAXIMA.CPU_BASELINE_MAX),
      flags: uint,
    },
    result: { cpu: text },
    writes: true,
  }),
}
