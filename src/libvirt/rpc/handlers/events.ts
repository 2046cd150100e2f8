import type { Handlers, RpcServerConnection } from '../../../protocols/libvirt-rpc/index.ts'
import type { Connection } from '../../connection.ts'
import type { Domain } from '../../domain.ts'
import {
  VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
  VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
  VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
  VIR_DOMAIN_EVENT_ID_LIFECYCLE,
  VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
  VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK,
  VIR_DOMAIN_EVENT_ID_REBOOT,
} from '../../flags/index.ts'
import type { Client } from '../client.ts'
import { LateEvents } from '../late-events.ts'
import { rpcDomain } from '../wire.ts'

/** Tells a client of an event, with the number of the callback that it is for. */
type Emit = (rpc: RpcServerConnection, callbackID: number) => void

/** Registers for events of a kind; `emit` is given what tells the client of each. */
type Register = (connection: Connection, domain: Domain | null, emit: (tell: Emit) => void) => Promise<number>

/** The kinds of events that happen here. Others may be registered for, as with libvirtd, and never come. */
const REGISTER: ReadonlyMap<number, Register> = new Map<number, Register>([
  [
    VIR_DOMAIN_EVENT_ID_LIFECYCLE,
    (connection, domain, emit) =>
      connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE, (found, event, detail) => {
        const msg = { dom: rpcDomain(found), event, detail }
        emit((rpc, callbackID) => rpc.emit('DOMAIN_EVENT_CALLBACK_LIFECYCLE', { callbackID, msg }))
      }),
  ],
  [
    VIR_DOMAIN_EVENT_ID_REBOOT,
    (connection, domain, emit) =>
      connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_REBOOT, found => {
        const msg = { dom: rpcDomain(found) }
        emit((rpc, callbackID) => rpc.emit('DOMAIN_EVENT_CALLBACK_REBOOT', { callbackID, msg }))
      }),
  ],
  [
    VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK,
    (connection, domain, emit) =>
      connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK, (found, reason) => {
        const msg = { dom: rpcDomain(found) }
        emit((rpc, callbackID) => rpc.emit('DOMAIN_EVENT_CALLBACK_PMSUSPEND_DISK', { callbackID, reason, msg }))
      }),
  ],
  [
    VIR_DOMAIN_EVENT_ID_DEVICE_ADDED,
    (connection, domain, emit) =>
      connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, (found, devAlias) => {
        const dom = rpcDomain(found)
        emit((rpc, callbackID) => rpc.emit('DOMAIN_EVENT_CALLBACK_DEVICE_ADDED', { callbackID, dom, devAlias }))
      }),
  ],
  [
    VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
    (connection, domain, emit) =>
      connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, (found, devAlias) => {
        const msg = { dom: rpcDomain(found), devAlias }
        emit((rpc, callbackID) => rpc.emit('DOMAIN_EVENT_CALLBACK_DEVICE_REMOVED', { callbackID, msg }))
      }),
  ],
  [
    VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
    (connection, domain, emit) =>
      connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, (found, state, reason) => {
        const dom = rpcDomain(found)
        emit((rpc, callbackID) => rpc.emit('DOMAIN_EVENT_CALLBACK_AGENT_LIFECYCLE', { callbackID, dom, state, reason }))
      }),
  ],
  [
    VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
    (connection, domain, emit) =>
      connection.domainEventRegisterAny(domain, VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, (found, type, nsuri) => {
        const dom = rpcDomain(found)
        emit((rpc, callbackID) => rpc.emit('DOMAIN_EVENT_CALLBACK_METADATA_CHANGE', { callbackID, dom, type, nsuri }))
      }),
  ],
])

/** What happens on a host, told to those who want to hear it. */
export const eventHandlers: Handlers<Client> = {
  async CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY({ eventID, dom }, { context, connection: rpc }) {
    const domain = dom === null ? null : context.domain(dom)
    const late = new LateEvents<Emit>(() => rpc.close())
    const register = REGISTER.get(eventID)
    const callbackID = await (register === undefined
      ? context.connection.domainEventRegisterAny(domain, eventID, () => undefined)
      : register(context.connection, domain, tell => late.push(tell)))
    late.openAfterAnswer(tell => tell(rpc, callbackID))
    return { callbackID }
  },
  CONNECT_DOMAIN_EVENT_CALLBACK_DEREGISTER_ANY: ({ callbackID }, { context }) =>
    context.connection.domainEventDeregisterAny(callbackID),
  CONNECT_REGISTER_CLOSE_CALLBACK: (_, { context }) => context.tellOfClosing(true),
  CONNECT_UNREGISTER_CLOSE_CALLBACK: (_, { context }) => context.tellOfClosing(false),
}
