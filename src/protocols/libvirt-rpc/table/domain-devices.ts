import { array, hyper, int, optional, struct, uhyper, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { procedure } from '../procedure.ts'
import { domain, text, typedParam } from '../types.ts'

const domainDiskError = struct({ disk: text, error: int })
const domainFsinfo = struct({
  mountpoint: text,
  name: text,
  fstype: text,
  dev_aliases: array(text, MAXIMA.DOMAIN_FSINFO_DISKS_MAX),
})
const domainIpAddr = struct({ type: int, addr: text, prefix: uint })
const domainInterface = struct({
  name: text,
  hwaddr: optional(text),
  addrs: array(domainIpAddr, MAXIMA.DOMAIN_IP_ADDR_MAX),
})

/** The devices of domains, and what goes through them. Source: libvirt, src/remote/remote_protocol.x. */
export const domainDevices = {
  DOMAIN_ATTACH_DEVICE: procedure(8, 'virDomainAttachDevice', { args: { dom: domain, xml: text }, writes: true }),
  DOMAIN_DETACH_DEVICE: procedure(13, 'virDomainDetachDevice', { args: { dom: domain, xml: text }, writes: true }),
  DOMAIN_BLOCK_STATS: procedure(64, 'virDomainBlockStats', {
    args: { dom: domain, path: text },
    result: { rd_req: hyper, rd_bytes: hyper, wr_req: hyper, wr_bytes: hyper, errs: hyper },
  }),
  DOMAIN_INTERFACE_STATS: procedure(65, 'virDomainInterfaceStats', {
    args: { dom: domain, device: text },
    result: {
      rx_bytes: hyper,
      rx_packets: hyper,
      rx_errs: hyper,
      rx_drop: hyper,
      tx_bytes: hyper,
      tx_packets: hyper,
      tx_errs: hyper,
      tx_drop: hyper,
    },
    priority: 'high',
  }),
  DOMAIN_ATTACH_DEVICE_FLAGS: procedure(160, 'virDomainAttachDeviceFlags', {
    args: { dom: domain, xml: text, flags: uint },
    writes: true,
  }),
  DOMAIN_DETACH_DEVICE_FLAGS: procedure(161, 'virDomainDetachDeviceFlags', {
    args: { dom: domain, xml: text, flags: uint },
    writes: true,
  }),
  DOMAIN_UPDATE_DEVICE_FLAGS: procedure(174, 'virDomainUpdateDeviceFlags', {
    args: { dom: domain, xml: text, flags: uint },
    writes: true,
  }),
  DOMAIN_GET_BLOCK_INFO: procedure(194, 'virDomainGetBlockInfo', {
    args: { dom: domain, path: text, flags: uint },
    result: { allocation: uhyper, capacity: uhyper, physical: uhyper },
  }),
  DOMAIN_OPEN_CONSOLE: procedure(201, 'virDomainOpenConsole', {
    args: { dom: domain, dev_name: optional(text), flags: uint },
    stream: 'read',
    writes: true,
  }),
  DOMAIN_SET_BLKIO_PARAMETERS: procedure(205, 'virDomainSetBlkioParameters', {
    args: { dom: domain, params: array(typedParam, MAXIMA.DOMAIN_BLKIO_PARAMETERS_MAX), flags: uint },
    writes: true,
  }),
  DOMAIN_GET_BLKIO_PARAMETERS: procedure(206, 'virDomainGetBlkioParameters', {
    args: { dom: domain, nparams: int, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_BLKIO_PARAMETERS_MAX), nparams: int },
  }),
  DOMAIN_INJECT_NMI: procedure(210, 'virDomainInjectNMI', { args: { dom: domain, flags: uint }, writes: true }),
  DOMAIN_SCREENSHOT: procedure(211, 'virDomainScreenshot', {
    args: { dom: domain, screen: uint, flags: uint },
    result: { mime: optional(text) },
    stream: 'read',
    writes: true,
  }),
  DOMAIN_SEND_KEY: procedure(226, 'virDomainSendKey', {
    args: {
      dom: domain,
      codeset: uint,
      holdtime: uint,
      keycodes: array(uint, MAXIMA.DOMAIN_SEND_KEY_MAX),
      flags: uint,
    },
    writes: true,
  }),
  DOMAIN_BLOCK_JOB_ABORT: procedure(237, 'virDomainBlockJobAbort', {
    args: { dom: domain, path: text, flags: uint },
    writes: true,
  }),
  DOMAIN_GET_BLOCK_JOB_INFO: procedure(238, 'virDomainGetBlockJobInfo', {
    args: { dom: domain, path: text, flags: uint },
    result: { found: int, type: int, bandwidth: uhyper, cur: uhyper, end: uhyper },
  }),
  DOMAIN_BLOCK_JOB_SET_SPEED: procedure(239, 'virDomainBlockJobSetSpeed', {
    args: { dom: domain, path: text, bandwidth: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_BLOCK_PULL: procedure(240, 'virDomainBlockPull', {
    args: { dom: domain, path: text, bandwidth: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_BLOCK_STATS_FLAGS: procedure(243, 'virDomainBlockStatsFlags', {
    args: { dom: domain, path: text, nparams: int, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_BLOCK_STATS_PARAMETERS_MAX), nparams: int },
  }),
  DOMAIN_BLOCK_RESIZE: procedure(251, 'virDomainBlockResize', {
    args: { dom: domain, disk: text, size: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_SET_BLOCK_IO_TUNE: procedure(252, 'virDomainSetBlockIoTune', {
    args: {
      dom: domain,
      disk: text,
      params: array(typedParam, MAXIMA.DOMAIN_BLOCK_IO_TUNE_PARAMETERS_MAX),
      flags: uint,
    },
    writes: true,
  }),
  DOMAIN_GET_BLOCK_IO_TUNE: procedure(253, 'virDomainGetBlockIoTune', {
    args: { dom: domain, disk: optional(text), nparams: int, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_BLOCK_IO_TUNE_PARAMETERS_MAX), nparams: int },
  }),
  DOMAIN_SET_INTERFACE_PARAMETERS: procedure(256, 'virDomainSetInterfaceParameters', {
    args: { dom: domain, device: text, params: array(typedParam, MAXIMA.DOMAIN_INTERFACE_PARAMETERS_MAX), flags: uint },
    writes: true,
  }),
  DOMAIN_GET_INTERFACE_PARAMETERS: procedure(257, 'virDomainGetInterfaceParameters', {
    args: { dom: domain, device: text, nparams: int, flags: uint },
    result: { params: array(typedParam, MAXIMA.DOMAIN_INTERFACE_PARAMETERS_MAX), nparams: int },
  }),
  DOMAIN_GET_DISK_ERRORS: procedure(263, 'virDomainGetDiskErrors', {
    args: { dom: domain, maxerrors: uint, flags: uint },
    result: { errors: array(domainDiskError, MAXIMA.DOMAIN_DISK_ERRORS_MAX), nerrors: int },
  }),
  DOMAIN_BLOCK_REBASE: procedure(266, 'virDomainBlockRebase', {
    args: { dom: domain, path: text, base: optional(text), bandwidth: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_BLOCK_COMMIT: procedure(290, 'virDomainBlockCommit', {
    args: { dom: domain, disk: text, base: optional(text), top: optional(text), bandwidth: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_FSTRIM: procedure(294, 'virDomainFSTrim', {
    args: { dom: domain, mountPoint: optional(text), minimum: uhyper, flags: uint },
    writes: true,
  }),
  DOMAIN_OPEN_CHANNEL: procedure(296, 'virDomainOpenChannel', {
    args: { dom: domain, name: optional(text), flags: uint },
    stream: 'read',
    writes: true,
  }),
  DOMAIN_FSFREEZE: procedure(335, 'virDomainFSFreeze', {
    args: { dom: domain, mountpoints: array(text, MAXIMA.DOMAIN_FSFREEZE_MOUNTPOINTS_MAX), flags: uint },
    result: { filesystems: int },
    writes: true,
  }),
  DOMAIN_FSTHAW: procedure(336, 'virDomainFSThaw', {
    args: { dom: domain, mountpoints: array(text, MAXIMA.DOMAIN_FSFREEZE_MOUNTPOINTS_MAX), flags: uint },
    result: { filesystems: int },
    writes: true,
  }),
  DOMAIN_OPEN_GRAPHICS_FD: procedure(343, 'virDomainOpenGraphicsFD', {
    args: { dom: domain, idx: uint, flags: uint },
    writes: true,
    passesSocket: true,
  }),
  DOMAIN_BLOCK_COPY: procedure(345, 'virDomainBlockCopy', {
    args: {
      dom: domain,
      path: text,
      destxml: text,
      params: array(typedParam, MAXIMA.DOMAIN_BLOCK_COPY_PARAMETERS_MAX),
      flags: uint,
    },
    writes: true,
  }),
  DOMAIN_GET_FSINFO: procedure(349, 'virDomainGetFSInfo', {
    args: { dom: domain, flags: uint },
    result: { info: array(domainFsinfo, MAXIMA.DOMAIN_FSINFO_MAX), ret: uint },
    writes: true,
  }),
  DOMAIN_INTERFACE_ADDRESSES: procedure(353, 'virDomainInterfaceAddresses', {
    args: { dom: domain, source: uint, flags: uint },
    result: { ifaces: array(domainInterface, MAXIMA.DOMAIN_INTERFACE_MAX) },
    writesWhere: { source: 1 },
  }),
  DOMAIN_DETACH_DEVICE_ALIAS: procedure(392, 'virDomainDetachDeviceAlias', {
    args: { dom: domain, alias: text, flags: uint },
    writes: true,
  }),
}
