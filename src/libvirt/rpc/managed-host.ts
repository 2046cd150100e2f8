import type { Driver } from '../../drivers/driver.ts'
import { VIR_ERR_NO_CONNECT } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import type { Company } from '../company.ts'
import type { PathRule } from './path-rule.ts'

/** A host that the server manages, as clients of the face open it. */
export interface ManagedHost {
  /** What its URIs begin with: `qemu`, `hyperv`, `memory`. */
  readonly scheme: string
  /** What may stand behind `scheme:///`; the first is what it is called by. */
  readonly names: readonly [string, ...string[]]
  readonly driver: Driver
  /** Aborted when the server lets the host go, and its driver with it. */
  readonly signal: AbortSignal
  /** Who else uses it. */
  readonly company: Company
  /** Which of its files clients may name; absent: any, for they are not this machine's. */
  readonly paths?: PathRule
}

/** The hosts that there are at the moment. */
export type HostList = () => readonly ManagedHost[]

/** `hyperv:///NAME`, as the server understands its hosts to be called. */
export const uriOf = ({ scheme, names }: Pick<ManagedHost, 'scheme' | 'names'>): string =>
  `${scheme}:///${encodeURIComponent(names[0])}`

/** As `uriOf`, by the first of its names that no other host of its kind has, where there is one. */
function uriAmong(host: ManagedHost, hosts: readonly ManagedHost[]): string {
  const others = hosts.filter(other => other !== host && other.scheme === host.scheme)
  const own = host.names.find(name => others.every(({ names }) => !names.includes(name)))
  return own === undefined ? uriOf(host) : uriOf({ scheme: host.scheme, names: [own] })
}

/** Names are shown of this many hosts, and no more. */
const SHOWN_MAX = 10

/**
 * The host that a URI means: `scheme:///NAME`, or `scheme:///` where there is one of its kind; no URI means the only
 * host there is. Throws `VIR_ERR_NO_CONNECT`, which names the hosts that there are.
 */
export function hostNamed(uri: string | null, hosts: readonly ManagedHost[]): ManagedHost {
  const found = uri === null || uri === '' ? hosts : matching(uri, hosts)
  const [host, second] = found
  if (host !== undefined && second === undefined) return host
  const problem = host === undefined ? 'no host of that name is managed here' : 'several hosts fit that name'
  const shown = hosts
    .slice(0, SHOWN_MAX)
    .map(each => uriAmong(each, hosts))
    .join(', ')
  const left = hosts.length > SHOWN_MAX ? ` and ${hosts.length - SHOWN_MAX} more` : ''
  throw new LibvirtError(
    VIR_ERR_NO_CONNECT,
    `'${uri ?? ''}': ${problem}; ${hosts.length === 0 ? 'there are none' : `there are ${shown}${left}`}`,
  )
}

function matching(uri: string, hosts: readonly ManagedHost[]): readonly ManagedHost[] {
  const [, scheme = '', path = ''] = /^([a-z][a-z\d.-]*)(?:\+[a-z\d]+)?:\/\/[^/?#]*\/?([^?#]*)/i.exec(uri) ?? []
  const kind = hosts.filter(host => host.scheme === scheme.toLowerCase())
  const name = decoded(path)
  return name === '' ? kind : kind.filter(({ names }) => names.includes(name))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
