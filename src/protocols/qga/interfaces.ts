import { isIPv4, isIPv6 } from 'node:net'
import type { JsonObject } from '../qmp/json.ts'
import { membersIn, objectsIn, textIfIn, textIn, wholeIn } from './answers.ts'
import type { QgaClient } from './client.ts'
import { QgaError } from './error.ts'

/** An address of an interface. */
export interface QgaAddress {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
}

/** A network interface of a guest. */
export interface QgaInterface {
  readonly name: string
  /** In lower case; absent of one without, or with one that is no Ethernet's. */
  readonly mac?: string
  readonly addresses: readonly QgaAddress[]
}

const COMMAND = 'guest-network-get-interfaces'
const INTERFACES_MAX = 2_048
const ADDRESSES_MAX = 2_048
const PREFIX_MAX = { ipv4: 32, ipv6: 128 } as const
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i

/**
 * The interfaces of a guest. What it tells of one under another name as well, `eth0:1`, is told of the one. Rejects with
 * QgaError. Source: QEMU qga/qapi-schema.json, guest-network-get-interfaces.
 */
export async function readInterfaces(client: QgaClient, timeoutMs: number): Promise<readonly QgaInterface[]> {
  const told = objectsIn(await client.execute(COMMAND, {}, timeoutMs), COMMAND, INTERFACES_MAX)
  const byName = new Map<string, QgaInterface>()
  for (const entry of told) {
    const [name = ''] = textIn(entry, 'name', COMMAND).split(':', 1)
    const before = byName.get(name)
    const mac = textIfIn(entry, 'hardware-address')
    const addresses = membersIn(entry, 'ip-addresses', COMMAND, ADDRESSES_MAX).flatMap(addressIn)
    byName.set(name, {
      name,
      ...(mac !== undefined && MAC.test(mac) && { mac: mac.toLowerCase() }),
      ...before,
      addresses: [...(before?.addresses ?? []), ...addresses].slice(0, ADDRESSES_MAX),
    })
  }
  return [...byName.values()]
}

/** What claims to be an address and is none is left out. */
function addressIn(entry: JsonObject): QgaAddress[] {
  const family = textIn(entry, 'ip-address-type', COMMAND)
  if (family !== 'ipv4' && family !== 'ipv6') throw new QgaError('garbage', `unknown ip address type in ${COMMAND}`)
  const address = textIn(entry, 'ip-address', COMMAND)
  const prefix = wholeIn(entry, 'prefix', COMMAND, [0, PREFIX_MAX[family]])
  const isAddress = family === 'ipv4' ? isIPv4(address) : isIPv6(address) && !address.includes('%')
  return isAddress ? [{ family, address, prefix }] : []
}
