import { isIPv4, isIPv6 } from 'node:net'
import { DriverError, type GuestAddress, type GuestInterface, type GuestOps, type GuestOs } from '../driver.ts'
import { deviceOfAdapter } from './adapters.ts'
import type { BackEnd } from './back-end.ts'
import { macOf } from './described-devices.ts'
import type { Directory, Entry } from './directory.ts'
import type { Gate } from './gate.ts'
import type { GuestNetwork } from './guest-back-end.ts'
import type { Adapter } from './network-back-end.ts'
import { assertState } from './states.ts'

/** What the group needs of a connection. */
export interface GuestParts {
  readonly directory: Directory
  readonly backEnd: BackEnd
}

/** The most addresses of one adapter. */
const ADDRESSES_MAX = 256
/** What a guest says is shown to people. */
const TEXT_LENGTH_MAX = 1024

/** Guests tell their host of themselves through the integration services, which Windows has and Linux may have. */
export function guestOps({ directory, backEnd }: GuestParts, gate: Gate): GuestOps {
  const { guests } = backEnd
  const running = async (id: string): Promise<Entry['machine']> => {
    const entry = await directory.get(id)
    assertState(entry, 'ask the guest of', ['running'])
    return entry.machine
  }
  const items = async (id: string) => (await guests.items((await running(id)).guid)) ?? raiseSilence()
  return {
    addressSources: guests.networks === undefined ? [] : ['agent'],
    addresses: (id, source) =>
      gate.pass(async () => {
        if (source !== 'agent' || guests.networks === undefined) {
          throw new DriverError('refused', `this host does not tell addresses of guests by ${source}`)
        }
        const { guid } = await running(id)
        const [told, networks, { adapters }] = await Promise.all([
          guests.items(guid),
          guests.networks(guid),
          backEnd.hardware(guid),
        ])
        // What stands there without anybody in the guest is what it was told, not what it has.
        if (told === undefined) raiseSilence()
        return adapters.flatMap((adapter, number) => interfaceOf(adapter, number, networks))
      }),
    hostName: id => gate.pass(async () => textIn(await items(id), 'FullyQualifiedDomainName') ?? raiseSilence()),
    os: id => gate.pass(async () => osIn(await items(id))),
  }
}

function raiseSilence(): never {
  throw new DriverError('refused', 'the integration services of the guest do not answer', { guest: 'silent' })
}

/** An adapter that the guest knows; emulated ones are not told of. */
function interfaceOf(adapter: Adapter, number: number, networks: readonly GuestNetwork[]): GuestInterface[] {
  const guid = adapter.id.split('\\')[1]?.toUpperCase()
  const network = networks.find(({ adapterGuid }) => adapterGuid === guid)
  if (network === undefined) return []
  const addresses = network.addresses.slice(0, ADDRESSES_MAX)
  return [
    {
      name: deviceOfAdapter(adapter) ?? `eth${number}`,
      mac: macOf(adapter.mac),
      addresses: addresses.flatMap((address, index) => addressOf(address, network.subnets[index] ?? '') ?? []),
    },
  ]
}

/** What a guest writes that is no address is none. */
function addressOf(address: string, subnet: string): GuestAddress | undefined {
  const family = familyOf(address)
  if (family === undefined) return undefined
  return { family, address: address.toLowerCase(), prefix: prefixOf(subnet, family) }
}

function familyOf(address: string): GuestAddress['family'] | undefined {
  if (isIPv4(address)) return 'ipv4'
  return isIPv6(address) && !address.includes('%') ? 'ipv6' : undefined
}

/**
 * The length of a prefix, or 0 where it does not tell. Source: the MOF of Msvm_GuestNetworkAdapterConfiguration, for masks and
 * lengths; Linux, tools/hv/hv_kvp_daemon.c, for lengths after a slash.
 */
function prefixOf(subnet: string, family: GuestAddress['family']): number {
  const max = family === 'ipv4' ? 32 : 128
  const [, digits] = /^\/?(\d{1,3})$/.exec(subnet) ?? []
  if (digits !== undefined) return Number(digits) <= max ? Number(digits) : 0
  if (family === 'ipv6' || !isIPv4(subnet)) return 0
  const bits = subnet
    .split('.')
    .map(octet => Number(octet).toString(2).padStart(8, '0'))
    .join('')
  return /^1*0*$/.test(bits) ? bits.replace(/0+$/, '').length : 0
}

/** CPUs by Windows' numbers. Source: Microsoft Learn, "SYSTEM_INFO", wProcessorArchitecture. */
const MACHINES: ReadonlyMap<string, string> = new Map([
  ['0', 'i686'],
  ['5', 'arm'],
  ['9', 'x86_64'],
  ['12', 'aarch64'],
])
/** Of Windows NT and all after it. Source: Microsoft Learn, "OSVERSIONINFOEXA", dwPlatformId. */
const WINDOWS_NT = '2'

/** In the words of QEMU's agent, as far as they are told. Source: QEMU qga/commands-win32.c, qmp_guest_get_osinfo. */
function osIn(items: ReadonlyMap<string, string>): GuestOs {
  const isWindows = items.get('OSPlatformId') === WINDOWS_NT
  const [prettyName, version] = [textIn(items, 'OSName'), textIn(items, 'OSVersion')]
  const kernelRelease = isWindows ? textIn(items, 'OSBuildNumber') : version
  const architecture = textIn(items, 'ProcessorArchitecture')
  const machine = architecture === undefined ? undefined : (MACHINES.get(architecture) ?? architecture)
  return {
    ...(isWindows && { id: 'mswindows', name: 'Microsoft Windows' }),
    ...(prettyName !== undefined && { prettyName }),
    ...(version !== undefined && isWindows && { kernelVersion: version }),
    ...(kernelRelease !== undefined && { kernelRelease }),
    ...(machine !== undefined && { machine }),
  }
}

/** Undefined also of a text that cannot be shown. */
function textIn(items: ReadonlyMap<string, string>, name: string): string | undefined {
  const text = items.get(name) ?? ''
  return text.length > 0 && text.length <= TEXT_LENGTH_MAX && !/\p{Cc}/u.test(text) ? text : undefined
}
