import type {
  GuestDisk,
  GuestFileSystem,
  GuestInterface,
  GuestOps,
  GuestOs,
  GuestTimezone,
  GuestUser,
} from '../drivers/driver.ts'
import {
  VIR_DOMAIN_GUEST_INFO_DISKS,
  VIR_DOMAIN_GUEST_INFO_FILESYSTEM,
  VIR_DOMAIN_GUEST_INFO_HOSTNAME,
  VIR_DOMAIN_GUEST_INFO_INTERFACES,
  VIR_DOMAIN_GUEST_INFO_OS,
  VIR_DOMAIN_GUEST_INFO_TIMEZONE,
  VIR_DOMAIN_GUEST_INFO_USERS,
  VIR_TYPED_PARAM_BOOLEAN,
  VIR_TYPED_PARAM_INT,
  VIR_TYPED_PARAM_STRING,
  VIR_TYPED_PARAM_UINT,
  VIR_TYPED_PARAM_ULLONG,
} from './flags/index.ts'
import type { StatsParameter } from './statistics.ts'

/** What a disk of the domain is called in its description; undefined for an id that it has not. */
export type NameOfDisk = (id: string) => string | undefined

/** A kind of what guests tell: its flag, and what asks for it; undefined where the host has no way to ask. */
export interface InfoKind {
  readonly flag: number
  readonly ask: (guest: GuestOps, id: string) => Promise<(names: NameOfDisk) => StatsParameter[]> | undefined
}

/** In the order in which they are told. Source: libvirt, src/libvirt-domain.c, virDomainGetGuestInfo. */
export const INFO_KINDS: readonly InfoKind[] = [
  kind(VIR_DOMAIN_GUEST_INFO_USERS, (guest, id) => guest.users?.(id), usersOf),
  kind(VIR_DOMAIN_GUEST_INFO_OS, (guest, id) => guest.os(id), osOf),
  kind(VIR_DOMAIN_GUEST_INFO_TIMEZONE, (guest, id) => guest.timezone?.(id), timezoneOf),
  kind(VIR_DOMAIN_GUEST_INFO_HOSTNAME, (guest, id) => guest.hostName(id), hostNameOf),
  kind(VIR_DOMAIN_GUEST_INFO_FILESYSTEM, (guest, id) => guest.fileSystems?.(id), fileSystemsOf),
  kind(VIR_DOMAIN_GUEST_INFO_DISKS, (guest, id) => guest.disks?.(id), disksOf),
  kind(
    VIR_DOMAIN_GUEST_INFO_INTERFACES,
    (guest, id) => (guest.addressSources.includes('agent') ? guest.addresses(id, 'agent') : undefined),
    interfacesOf,
  ),
]

function kind<T>(
  flag: number,
  ask: (guest: GuestOps, id: string) => Promise<T> | undefined,
  tell: (told: T, names: NameOfDisk) => StatsParameter[],
): InfoKind {
  return { flag, ask: (guest, id) => ask(guest, id)?.then(told => names => tell(told, names)) }
}

const whole = (type: number) => (field: string, value: number) => ({ field, type, value: BigInt(Math.round(value)) })
const int = whole(VIR_TYPED_PARAM_INT)
const uint = whole(VIR_TYPED_PARAM_UINT)
const ullong = whole(VIR_TYPED_PARAM_ULLONG)
const bool = (field: string, is: boolean) => whole(VIR_TYPED_PARAM_BOOLEAN)(field, is ? 1 : 0)
const text = (field: string, value: string) => ({ field, type: VIR_TYPED_PARAM_STRING, value }) as const
const textIf = (field: string, value: string | undefined) => (value === undefined ? [] : [text(field, value)])

/** How many there are, then what is said of each. */
function each<T>(
  prefix: string,
  all: readonly T[],
  tell: (one: T, prefix: string) => readonly StatsParameter[],
): StatsParameter[] {
  return [uint(`${prefix}.count`, all.length), ...all.flatMap((one, index) => tell(one, `${prefix}.${index}`))]
}

function hostNameOf(name: string): StatsParameter[] {
  return [text('hostname', name)]
}

function usersOf(users: readonly GuestUser[]): StatsParameter[] {
  return each('user', users, ({ name, domain, loginMs }, at) => [
    text(`${at}.name`, name),
    ...textIf(`${at}.domain`, domain),
    ullong(`${at}.login-time`, loginMs),
  ])
}

function osOf(os: GuestOs): StatsParameter[] {
  return [
    ...textIf('os.id', os.id),
    ...textIf('os.name', os.name),
    ...textIf('os.pretty-name', os.prettyName),
    ...textIf('os.version', os.version),
    ...textIf('os.version-id', os.versionId),
    ...textIf('os.machine', os.machine),
    ...textIf('os.variant', os.variant),
    ...textIf('os.variant-id', os.variantId),
    ...textIf('os.kernel-release', os.kernelRelease),
    ...textIf('os.kernel-version', os.kernelVersion),
  ]
}

function timezoneOf({ name, offsetSeconds }: GuestTimezone): StatsParameter[] {
  return [...textIf('timezone.name', name), int('timezone.offset', offsetSeconds)]
}

function fileSystemsOf(all: readonly GuestFileSystem[], names: NameOfDisk): StatsParameter[] {
  return each('fs', all, ({ name, mountpoint, type, totalBytes, usedBytes, disks }, at) => [
    text(`${at}.name`, name),
    text(`${at}.mountpoint`, mountpoint),
    text(`${at}.fstype`, type),
    ...(totalBytes === undefined ? [] : [ullong(`${at}.total-bytes`, totalBytes)]),
    ...(usedBytes === undefined ? [] : [ullong(`${at}.used-bytes`, usedBytes)]),
    ...each(`${at}.disk`, disks, ({ id, serial, device }, disk) => [
      ...textIf(`${disk}.alias`, id === undefined ? undefined : names(id)),
      ...textIf(`${disk}.serial`, serial),
      ...textIf(`${disk}.device`, device),
    ]),
  ])
}

function disksOf(disks: readonly GuestDisk[], names: NameOfDisk): StatsParameter[] {
  return each('disk', disks, ({ id, name, isPartition, dependencies, serial, alias, bus }, at) => [
    text(`${at}.name`, name),
    bool(`${at}.partition`, isPartition),
    ...(dependencies.length === 0
      ? []
      : each(`${at}.dependency`, dependencies, (device, dependency) => [text(`${dependency}.name`, device)])),
    ...textIf(`${at}.serial`, serial),
    ...textIf(`${at}.alias`, id === undefined ? undefined : names(id)),
    ...textIf(`${at}.guest_alias`, alias),
    ...textIf(`${at}.guest_bus`, bus),
  ])
}

function interfacesOf(all: readonly GuestInterface[]): StatsParameter[] {
  return each('if', all, ({ name, mac, addresses }, at) => [
    text(`${at}.name`, name),
    ...textIf(`${at}.hwaddr`, mac),
    ...each(`${at}.addr`, addresses, ({ family, address, prefix }, one) => [
      text(`${one}.type`, family),
      text(`${one}.addr`, address),
      uint(`${one}.prefix`, prefix),
    ]),
  ])
}
