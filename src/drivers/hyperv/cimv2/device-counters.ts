import { anyOf, type CimInstance, like, type Wql, wql } from '../../../protocols/wsman/index.ts'
import type { DiskMetrics, NicMetrics } from '../../driver.ts'
import { type Asker, counters } from './counters.ts'

/** What was done to an image since its machine was started; requests begin again at 0 after 2^32. */
export type CountedImage = Omit<DiskMetrics, 'id'>

/** What went through an adapter, from the guest's side. */
export type CountedAdapter = Omit<NicMetrics, 'id'>

/** The first build whose adapters count what is dropped: that of Windows Server 2012. */
const DROPS_FROM_BUILD = 9_200

/** How many devices are asked about at once: a query has no more room. */
const DEVICES_MAX = 32
/** From how many on a host is asked about all that it has. */
const ALL_FROM = 2 * DEVICES_MAX

/**
 * What was read from images and written to them, by their paths. One that is not counted, or that cannot be told from
 * another, is not there; none is on a host that has no such counters.
 * Source: Win32_PerfRawData_Counters_HyperVVirtualStorageDevice, whose instances were seen to be called as the path is,
 * with a dash for each backslash, and `--?-` before it or not; those of one name have a number behind.
 */
export async function readImageCounters(
  client: Asker,
  paths: readonly string[],
): Promise<ReadonlyMap<string, CountedImage>> {
  const names = new Map(paths.map(path => [path, path.replaceAll(/[\\/]/g, '-')]))
  const wanted = [...new Set(names.values())]
  const ask = (part: readonly string[]) => counters(client, storageQuery(part))
  const rows = wanted.length > ALL_FROM ? await counters(client, STORAGE) : await inParts(wanted, ask)
  const images = Map.groupBy(rows, imageOf)
  const counted = new Map<string, CountedImage>()
  for (const [path, name] of names) {
    const own = images.get(name.toLowerCase()) ?? []
    const [row] = own
    if (row === undefined || own.length > 1) continue
    counted.set(path, {
      readBytes: bytesIn(row, 'ReadBytesPersec'),
      writtenBytes: bytesIn(row, 'WriteBytesPersec'),
      ...countsIn(row, { reads: 'ReadCount', writes: 'WriteCount', flushes: 'FlushCount', errors: 'ErrorCount' }),
    })
  }
  return counted
}

const STORAGE = wql`SELECT Name, ReadBytesPersec, WriteBytesPersec, ReadCount, WriteCount, FlushCount, ErrorCount FROM Win32_PerfRawData_Counters_HyperVVirtualStorageDevice`

function storageQuery(names: readonly string[]): Wql {
  const conditions = names.flatMap(name => [wql`Name LIKE ${like`${name}%`}`, wql`Name LIKE ${like`--?-${name}%`}`])
  return wql`${STORAGE} WHERE ${anyOf(conditions)}`
}

/** The same of one with a number behind, which is of another image that is called so. */
function imageOf(row: CimInstance): string {
  const instance = (row.string('Name') ?? '').toLowerCase().replace(/^--\?-/, '')
  return instance.replace(/#\d+$/, '')
}

/**
 * What the adapters of a machine have received and sent, by their GUIDs in upper case; `build` is that of the host.
 * Source: Win32_PerfRawData_NvspNicStats_HyperVVirtualNetworkAdapter, whose instances were seen to hold the GUID of their
 * adapter, by which Windows Admin Center finds them too.
 */
export async function readAdapterCounters(
  client: Asker,
  guids: readonly string[],
  build: number,
): Promise<ReadonlyMap<string, CountedAdapter>> {
  const hasDrops = build >= DROPS_FROM_BUILD
  const ask = (part: readonly string[]) => counters(client, adapterQuery(part, hasDrops))
  const all = () => counters(client, hasDrops ? ADAPTERS_WITH_DROPS : ADAPTERS)
  const rows = guids.length > ALL_FROM ? await all() : await inParts(guids, ask)
  const adapters = new Map<string, CimInstance[]>()
  for (const row of rows) {
    for (const [guid] of (row.string('Name') ?? '').toUpperCase().matchAll(GUID)) {
      adapters.set(guid, [...(adapters.get(guid) ?? []), row])
    }
  }
  const counted = new Map<string, CountedAdapter>()
  for (const guid of guids) {
    const own = adapters.get(guid) ?? []
    const [row] = own
    if (row === undefined || own.length > 1) continue
    counted.set(guid, {
      receivedBytes: bytesIn(row, 'BytesReceivedPersec'),
      sentBytes: bytesIn(row, 'BytesSentPersec'),
      ...countsIn(row, {
        receivedPackets: 'PacketsReceivedPersec',
        sentPackets: 'PacketsSentPersec',
        receivedDropped: 'DroppedPacketsIncomingPersec',
        sentDropped: 'DroppedPacketsOutgoingPersec',
      }),
    })
  }
  return counted
}

const GUID = /[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}/g

const ADAPTERS = wql`SELECT Name, BytesReceivedPersec, BytesSentPersec, PacketsReceivedPersec, PacketsSentPersec FROM Win32_PerfRawData_NvspNicStats_HyperVVirtualNetworkAdapter`
const ADAPTERS_WITH_DROPS = wql`SELECT Name, BytesReceivedPersec, BytesSentPersec, PacketsReceivedPersec, PacketsSentPersec, DroppedPacketsIncomingPersec, DroppedPacketsOutgoingPersec FROM Win32_PerfRawData_NvspNicStats_HyperVVirtualNetworkAdapter`

function adapterQuery(guids: readonly string[], hasDrops: boolean): Wql {
  const conditions = anyOf(guids.map(guid => wql`Name LIKE ${like`%${guid}%`}`))
  return wql`${hasDrops ? ADAPTERS_WITH_DROPS : ADAPTERS} WHERE ${conditions}`
}

/** Raw, such a counter is the sum of all that there ever was. */
const bytesIn = (row: CimInstance, property: string): number => Number(row.bigint(property) ?? 0n)

/** The same of those that the host has. */
function countsIn<N extends string>(row: CimInstance, names: Readonly<Record<N, string>>): Partial<Record<N, number>> {
  const counts: Partial<Record<N, number>> = {}
  for (const name of namesOf(names)) {
    const count = row.bigint(names[name])
    if (count !== undefined) counts[name] = Number(count)
  }
  return counts
}

function* namesOf<N extends string>(names: Readonly<Record<N, string>>): Generator<N> {
  for (const name in names) yield name
}

/** Asks about some at a time, all side by side. */
async function inParts<T, R>(all: readonly T[], ask: (part: readonly T[]) => Promise<readonly R[]>): Promise<R[]> {
  const parts = Array.from({ length: Math.ceil(all.length / DEVICES_MAX) }, (_, part) =>
    all.slice(part * DEVICES_MAX, (part + 1) * DEVICES_MAX),
  )
  return (await Promise.all(parts.map(ask))).flat()
}
