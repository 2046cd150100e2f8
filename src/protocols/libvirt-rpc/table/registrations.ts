import { int, optional } from '../../../wire/xdr/types.ts'
import { procedure } from '../procedure.ts'
import { domain, network, nodeDevice, storagePool } from '../types.ts'

/** Asking for events, and asking no more. Source: libvirt, src/remote/remote_protocol.x. */
export const registrations = {
  CONNECT_NETWORK_EVENT_REGISTER_ANY: procedure(313, 'virConnectNetworkEventRegisterAny', {
    args: { eventID: int, net: optional(network) },
    result: { callbackID: int },
    priority: 'high',
  }),
  CONNECT_NETWORK_EVENT_DEREGISTER_ANY: procedure(314, 'virConnectNetworkEventDeregisterAny', {
    args: { callbackID: int },
    priority: 'high',
  }),
  CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY: procedure(316, 'virConnectDomainEventRegisterAny', {
    args: { eventID: int, dom: optional(domain) },
    result: { callbackID: int },
    priority: 'high',
  }),
  CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY: procedure(317, 'virConnectDomainEventDeregisterAny', {
    args: { callbackID: int },
    priority: 'high',
  }),
  CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY: procedure(368, 'virConnectStoragePoolEventRegisterAny', {
    args: { eventID: int, pool: optional(storagePool) },
    result: { callbackID: int },
    priority: 'high',
  }),
  CONNECT_STORAGE_POOL_EVENT_DEREGISTER_ANY: procedure(369, 'virConnectStoragePoolEventDeregisterAny', {
    args: { callbackID: int },
    priority: 'high',
  }),
  CONNECT_NODE_DEVICE_EVENT_REGISTER_ANY: procedure(374, 'virConnectNodeDeviceEventRegisterAny', {
    args: { eventID: int, dev: optional(nodeDevice) },
    result: { callbackID: int },
    priority: 'high',
  }),
  CONNECT_NODE_DEVICE_EVENT_DEREGISTER_ANY: procedure(375, 'virConnectNodeDeviceEventDeregisterAny', {
    args: { callbackID: int },
    priority: 'high',
  }),
}
