import type { BackEnd } from './back-end.ts'
import type { NamespaceName } from './namespace-name.ts'
import type { NetworkBackEnd } from './network-back-end.ts'
import { backEndV1, V1 } from './v1/index.ts'
import { backEndV2, V2 } from './v2/index.ts'
import type { Link } from './wmi/link.ts'

/** A namespace that Hyper-V is in, and how a host is driven through it. */
export interface Namespace {
  readonly name: NamespaceName
  /** As the client of WS-Management names it. */
  readonly path: string
  /** As Windows writes it. */
  readonly title: string
  readonly backEnd: (link: Link) => BackEnd & NetworkBackEnd
}

/** In the order in which they are tried: a host that has both is driven through v2. */
export const NAMESPACES: readonly Namespace[] = [
  { name: 'v2', path: V2, title: 'root\\virtualization\\v2', backEnd: backEndV2 },
  { name: 'v1', path: V1, title: 'root\\virtualization', backEnd: backEndV1 },
]
