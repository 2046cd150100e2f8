import { readFile } from 'node:fs/promises'
import { isIPv4 } from 'node:net'
import type { DomainConfig, GuestInterface } from '../driver.ts'

const TABLE = '/proc/net/arp'
/** The most of the table that is read. */
const NEIGHBOURS_MAX = 65_536
/** Source: Linux, include/uapi/linux/if_arp.h, ATF_COM. */
const COMPLETE = 2

/** The interfaces of a domain that this machine has spoken with, with the addresses by which it knows them. */
export async function neighboursOf(config: DomainConfig, table = TABLE): Promise<GuestInterface[]> {
  return interfacesIn(await readFile(table, 'utf8'), config)
}

/** The same of the text of such a table. Source: Linux, net/ipv4/arp.c, arp_seq_show. */
export function interfacesIn(table: string, { nics = [] }: Pick<DomainConfig, 'nics'>): GuestInterface[] {
  const known = table
    .split('\n', NEIGHBOURS_MAX)
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(([address = '', , flags]) => isIPv4(address) && (Number(flags) & COMPLETE) !== 0)
  return nics.flatMap(({ device, mac }) => {
    const addresses = known.flatMap(([address = '', , , neighbour]) =>
      neighbour?.toLowerCase() === mac.toLowerCase() ? [{ family: 'ipv4', address, prefix: 0 } as const] : [],
    )
    return addresses.length === 0 ? [] : [{ name: device, mac: mac.toLowerCase(), addresses }]
  })
}
