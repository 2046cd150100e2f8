import type { HostList, ManagedHost } from '../libvirt/rpc/index.ts'
import { companyOf, type CompanyParts } from './libvirt-company.ts'

/**
 * The hosts that are connected, as clients of libvirt open them: `qemu:///system`, and others by the name in their URI
 * (`memory:///lab`), by their address, by what the Xen Management API calls them, or by their UUID.
 */
export function libvirtHosts(parts: CompanyParts): HostList {
  const { hosts } = parts.services
  return () =>
    hosts.connected().map(({ host, label, uri, driver, signal }): ManagedHost => {
      const { protocol, hostname, pathname } = new URL(uri)
      const own = decodeURIComponent(pathname.slice(1))
      const [first = host, ...others] = [own, label, hostname, host].filter(name => name !== '')
      const company = companyOf(parts, host)
      return { scheme: protocol.slice(0, -1), names: [first, ...others], driver, signal, company }
    })
}
