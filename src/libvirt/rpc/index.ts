/** libvirt's wire protocol in front of the API: what virsh, virt-manager and other users of libvirt connect to. */

export { ALONE, type Area, type Company } from '../company.ts'
export { followed } from '../domain-past.ts'
export { OPERATOR, type User, type Who } from './access.ts'
export { type Arrival, LibvirtFace } from './face.ts'
export { type HostList, type ManagedHost, uriOf } from './managed-host.ts'
export { type LoginExchange, LoginLater, type LoginWay } from './sasl-login.ts'
export type { PathRule, PathUse } from './path-rule.ts'
