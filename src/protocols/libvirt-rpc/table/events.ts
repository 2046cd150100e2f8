import { array, hyper, int, optional, struct, uhyper, uint } from '../../../wire/xdr/types.ts'
import { MAXIMA } from '../maxima.ts'
import { event } from '../procedure.ts'
import { domain, network, nodeDevice, storagePool, text, typedParam } from '../types.ts'

const lifecycleMsg = struct({ dom: domain, event: int, detail: int })
const rebootMsg = struct({ dom: domain })
const rtcChangeMsg = struct({ dom: domain, offset: hyper })
const watchdogMsg = struct({ dom: domain, action: int })
const ioErrorMsg = struct({ dom: domain, srcPath: text, devAlias: text, action: int })
const graphicsAddress = struct({ family: int, node: text, service: text })
const graphicsIdentity = struct({ type: text, name: text })
const graphicsMsg = struct({
  dom: domain,
  phase: int,
  local: graphicsAddress,
  remote: graphicsAddress,
  authScheme: text,
  subject: array(graphicsIdentity, MAXIMA.DOMAIN_EVENT_GRAPHICS_IDENTITY_MAX),
})
const ioErrorReasonMsg = struct({ dom: domain, srcPath: text, devAlias: text, action: int, reason: text })
const controlErrorMsg = struct({ dom: domain })
const blockJobMsg = struct({ dom: domain, path: text, type: int, status: int })
const diskChangeMsg = struct({
  dom: domain,
  oldSrcPath: optional(text),
  newSrcPath: optional(text),
  devAlias: text,
  reason: int,
})
const trayChangeMsg = struct({ dom: domain, devAlias: text, reason: int })
const pmwakeupMsg = struct({ dom: domain })
const pmsuspendMsg = struct({ dom: domain })
const balloonChangeMsg = struct({ dom: domain, actual: uhyper })
const pmsuspendDiskMsg = struct({ dom: domain })
const deviceRemovedMsg = struct({ dom: domain, devAlias: text })

/** What a host tells unasked, to those who asked for it. Source: libvirt, src/remote/remote_protocol.x. */
export const events = {
  NETWORK_EVENT_LIFECYCLE: event(315, { callbackID: int, net: network, event: int, detail: int }),
  DOMAIN_EVENT_CALLBACK_LIFECYCLE: event(318, { callbackID: int, msg: lifecycleMsg }),
  DOMAIN_EVENT_CALLBACK_REBOOT: event(319, { callbackID: int, msg: rebootMsg }),
  DOMAIN_EVENT_CALLBACK_RTC_CHANGE: event(320, { callbackID: int, msg: rtcChangeMsg }),
  DOMAIN_EVENT_CALLBACK_WATCHDOG: event(321, { callbackID: int, msg: watchdogMsg }),
  DOMAIN_EVENT_CALLBACK_IO_ERROR: event(322, { callbackID: int, msg: ioErrorMsg }),
  DOMAIN_EVENT_CALLBACK_GRAPHICS: event(323, { callbackID: int, msg: graphicsMsg }),
  DOMAIN_EVENT_CALLBACK_IO_ERROR_REASON: event(324, { callbackID: int, msg: ioErrorReasonMsg }),
  DOMAIN_EVENT_CALLBACK_CONTROL_ERROR: event(325, { callbackID: int, msg: controlErrorMsg }),
  DOMAIN_EVENT_CALLBACK_BLOCK_JOB: event(326, { callbackID: int, msg: blockJobMsg }),
  DOMAIN_EVENT_CALLBACK_DISK_CHANGE: event(327, { callbackID: int, msg: diskChangeMsg }),
  DOMAIN_EVENT_CALLBACK_TRAY_CHANGE: event(328, { callbackID: int, msg: trayChangeMsg }),
  DOMAIN_EVENT_CALLBACK_PMWAKEUP: event(329, { callbackID: int, reason: int, msg: pmwakeupMsg }),
  DOMAIN_EVENT_CALLBACK_PMSUSPEND: event(330, { callbackID: int, reason: int, msg: pmsuspendMsg }),
  DOMAIN_EVENT_CALLBACK_BALLOON_CHANGE: event(331, { callbackID: int, msg: balloonChangeMsg }),
  DOMAIN_EVENT_CALLBACK_PMSUSPEND_DISK: event(332, { callbackID: int, reason: int, msg: pmsuspendDiskMsg }),
  DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED: event(333, { callbackID: int, msg: deviceRemovedMsg }),
  DOMAIN_EVENT_BLOCK_JOB_2: event(339, { callbackID: int, dom: domain, dst: text, type: int, status: int }),
  DOMAIN_EVENT_CALLBACK_TUNABLE: event(346, {
    callbackID: int,
    dom: domain,
    params: array(typedParam, MAXIMA.DOMAIN_EVENT_TUNABLE_MAX),
  }),
  DOMAIN_EVENT_CALLBACK_AGENT_LIFECYCLE: event(348, { callbackID: int, dom: domain, state: int, reason: int }),
  DOMAIN_EVENT_CALLBACK_DEVICE_ADDED: event(354, { callbackID: int, dom: domain, devAlias: text }),
  DOMAIN_EVENT_CALLBACK_MIGRATION_ITERATION: event(359, { callbackID: int, dom: domain, iteration: int }),
  CONNECT_EVENT_CONNECTION_CLOSED: event(362, { reason: int }),
  DOMAIN_EVENT_CALLBACK_JOB_COMPLETED: event(363, {
    callbackID: int,
    dom: domain,
    params: array(typedParam, MAXIMA.DOMAIN_JOB_STATS_MAX),
  }),
  DOMAIN_EVENT_CALLBACK_DEVICE_REMOVAL_FAILED: event(367, { callbackID: int, dom: domain, devAlias: text }),
  STORAGE_POOL_EVENT_LIFECYCLE: event(370, { callbackID: int, pool: storagePool, event: int, detail: int }),
  STORAGE_POOL_EVENT_REFRESH: event(373, { callbackID: int, pool: storagePool }),
  NODE_DEVICE_EVENT_LIFECYCLE: event(376, { callbackID: int, dev: nodeDevice, event: int, detail: int }),
  NODE_DEVICE_EVENT_UPDATE: event(377, { callbackID: int, dev: nodeDevice }),
  DOMAIN_EVENT_CALLBACK_METADATA_CHANGE: event(379, { callbackID: int, dom: domain, type: int, nsuri: optional(text) }),
  DOMAIN_EVENT_MEMORY_FAILURE: event(423, { callbackID: int, dom: domain, recipient: int, action: int, flags: uint }),
  DOMAIN_EVENT_MEMORY_DEVICE_SIZE_CHANGE: event(438, { callbackID: int, dom: domain, alias: text, size: uhyper }),
}
