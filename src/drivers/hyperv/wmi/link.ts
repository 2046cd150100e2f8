import { type EndpointReference, reference, type WsmanClient } from '../../../protocols/wsman/index.ts'

/** A connection to a host through one of its two namespaces, and what it is asked through. */
export interface Link {
  readonly client: WsmanClient
  /** Where Hyper-V is, as the client of WS-Management names it; the client's own where a call says no other. */
  readonly namespace: string
  /** The only Msvm_VirtualSystemManagementService. */
  readonly service: EndpointReference
  /** The build of Windows. */
  readonly build: number
}

/** The host is a Msvm_ComputerSystem too, under its own name. */
export const hostNameOf = ({ service }: Link): string => service.key('SystemName') ?? ''

/** The machine with this GUID. */
export function systemOf({ namespace }: Pick<Link, 'namespace'>, guid: string): EndpointReference {
  return reference(namespace, 'Msvm_ComputerSystem', { CreationClassName: 'Msvm_ComputerSystem', Name: guid })
}

/** InstanceID of the settings that a machine has, as against those of its snapshots. */
export const settingsIdOf = (guid: string): string => `Microsoft:${guid}`

/** The settings that a machine has. In v1, they are without what is for all its life. */
export function settingsOf({ namespace }: Pick<Link, 'namespace'>, guid: string): EndpointReference {
  return reference(namespace, 'Msvm_VirtualSystemSettingData', { InstanceID: settingsIdOf(guid) })
}
