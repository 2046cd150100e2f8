import type { EndpointReference, WsmanClient } from '../../../protocols/wsman/index.ts'

/** A connection to a host, and what it is asked through. */
export interface Link {
  /** Of the namespace root\virtualization\v2. */
  readonly client: WsmanClient
  /** The only Msvm_VirtualSystemManagementService. */
  readonly service: EndpointReference
  /** The build of Windows. */
  readonly build: number
}
