import type { Services } from '../engine/context.ts'
import type { HostList, ManagedHost, PathRule } from '../libvirt/rpc/index.ts'
import { companyOf, type CompanyParts } from './libvirt-company.ts'

/** What the hosts are known by, and what they share. */
export interface HostParts extends CompanyParts {
  readonly services: Pick<Services, 'hosts' | 'paths'>
}

/** The hosts whose files are this machine's, by what their URIs begin with. */
const OF_THIS_MACHINE = 'qemu'

/**
 * The hosts that are connected, as clients of libvirt open them: `qemu:///system`, and others by the name in their URI
 * (`memory:///lab`), by their address, by what the Xen Management API calls them, or by their UUID.
 */
export function libvirtHosts(parts: HostParts): HostList {
  const { hosts, paths: allowed } = parts.services
  const paths = pathRule(allowed)
  return () =>
    hosts.connected().map(({ host, label, uri, driver, signal }): ManagedHost => {
      const { protocol, hostname, pathname } = new URL(uri)
      const own = decodeURIComponent(pathname.slice(1))
      const [first = host, ...others] = [own, label, hostname, host].filter(name => name !== '')
      const company = companyOf(parts, host)
      const scheme = protocol.slice(0, -1)
      const guarded = scheme === OF_THIS_MACHINE ? { paths } : {}
      return { scheme, names: [first, ...others], driver, signal, company, ...guarded }
    })
}

/** The operator's rules, which count for clients of every protocol. */
function pathRule(paths: Services['paths']): PathRule {
  return (path, use, pools) => paths.refusal(use === 'drive' ? 'bios/cdrom' : 'path', path, pools)
}
