import type { WsmanClient } from '../../protocols/wsman/index.ts'
import { type DomainId, type DomainMetrics, type DomainState, DriverError, type MetricsOps } from '../driver.ts'
import { adapterOf } from './adapters.ts'
import type { BackEnd, Hardware } from './back-end.ts'
import {
  type CountedAdapter,
  type CountedImage,
  readAdapterCounters,
  readImageCounters,
} from './cimv2/device-counters.ts'
import { readHostCpus } from './cimv2/host-cpus.ts'
import type { CpuTimes } from './cpu-times.ts'
import { idOfDevice } from './device-ids.ts'
import type { Directory, Entry } from './directory.ts'
import { driveOf, isEmptyFloppy } from './drives.ts'
import type { Gate } from './gate.ts'
import type { GuestBackEnd } from './guest-back-end.ts'
import { bytesOf } from './quantities.ts'
import { assertState } from './states.ts'

/** What the group needs of a connection. */
export interface MetricsParts {
  readonly backEnd: BackEnd
  readonly guests: GuestBackEnd
  readonly client: WsmanClient
  readonly cpuTimes: CpuTimes
  readonly directory: Directory
  /** Of Windows on the host. */
  readonly build: number
}

/** The counters of a host: those of its hypervisor, its storage and its switches, which Windows shows to everybody. */
export function metricsOps(parts: MetricsParts, gate: Gate): MetricsOps {
  return {
    domain: id => gate.pass(() => measure(parts, id)),
    domains: ids => gate.pass(() => measureAll(parts, ids)),
    vcpus: id => gate.pass(async () => (await processors(parts, id)).map(usedMs => ({ usedMs }))),
    cpus: () => gate.pass(() => readHostCpus(parts.client)),
  }
}

const isOn = (state: DomainState): boolean => state === 'running' || state === 'paused'

async function measurable({ directory }: MetricsParts, id: DomainId): Promise<Entry> {
  const entry = await directory.get(id)
  assertState(entry, 'measure', ['running', 'paused'])
  return entry
}

/** How lately a machine must have been seen to be on, not to be looked at again before its processors are. */
const FRESH_MS = 2_000

/**
 * Looks at the machine and at what is counted under its name side by side; under another name, it is looked at again. One
 * that was on a moment ago is not looked at if something is counted: had it gone, nothing would be.
 */
async function processors(parts: MetricsParts, id: DomainId): Promise<readonly number[]> {
  const { cpuTimes, directory } = parts
  const seen = directory.seen(id)
  const then = seen?.name
  const isFresh = seen !== undefined && isOn(seen.state) && performance.now() - seen.atMs < FRESH_MS
  const counted = isFresh ? await cpuTimes.of(seen.name) : undefined
  if (counted !== undefined && counted.length > 0) return counted
  const [entry, times] = await Promise.all([measurable(parts, id), then === undefined ? undefined : cpuTimes.of(then)])
  const { name } = entry.machine
  return told(name, name === then ? times : await cpuTimes.of(name))
}

/** Rejects as `refused` where the host does not tell them from those of another machine. */
function told(name: string, times: readonly number[] | undefined): readonly number[] {
  if (times === undefined) {
    throw new DriverError('refused', `the host counts processors by names of machines, and several are called ${name}`)
  }
  if (times.length > 0) return times
  throw new DriverError('refused', `the host counts nothing of the processors of ${name}`)
}

async function measure(parts: MetricsParts, id: DomainId): Promise<DomainMetrics> {
  const entry = await measurable(parts, id)
  const { guid, name } = entry.machine
  const [times, memoryBytes, devices, tools] = await Promise.all([
    parts.cpuTimes.of(name),
    memoryOf(parts, entry),
    devicesOf(parts, entry),
    parts.guests.tools(guid),
  ])
  return { atMs: performance.now(), memoryBytes, vcpuMs: told(name, times), ...devices, tools }
}

/** Lists do not tell it; then the machine is asked for itself. */
async function memoryOf({ backEnd }: MetricsParts, { machine: { guid, usage } }: Entry): Promise<number> {
  const now = usage ?? (await backEnd.machine(guid))?.usage
  return bytesOf(now?.memoryMb ?? (await backEnd.memoryMb(guid)))
}

type Devices = Pick<DomainMetrics, 'disks' | 'nics'>

/** Up to how many machines are measured one by one, before the host is asked about all at once. */
const ONE_BY_ONE_MAX = 4

async function measureAll(
  parts: MetricsParts,
  ids: readonly DomainId[],
): Promise<readonly (DomainMetrics & { readonly id: DomainId })[]> {
  const wanted = new Set(ids)
  const { backEnd, guests, cpuTimes, directory } = parts
  if (ids.length <= ONE_BY_ONE_MAX) return (await Promise.all(ids.map(id => ifMeasurable(parts, id)))).flat()
  const entries = (await directory.list()).filter(({ id, machine }) => wanted.has(id) && isOn(machine.state))
  const [hardware, used, times, tools] = await Promise.all([
    backEnd.hardwareOfAll(),
    backEnd.machinesInUse(entries.map(({ machine }) => machine.guid)),
    cpuTimes.ofAll(),
    guests.toolsOfAll(),
  ])
  const memory = new Map(used.map(({ guid, usage }) => [guid, usage?.memoryMb]))
  const measured = entries.flatMap(entry => {
    const own = hardware.get(entry.machine.guid)
    const vcpuMs = times.get(entry.machine.name) ?? []
    // Of one that has just gone there is nothing to measure, nor of one that cannot be told from another.
    if (own === undefined || vcpuMs.length === 0) return []
    return [{ entry, vcpuMs, own, devices: devicesIn(own, entry.note) }]
  })
  const count = await countersOf(
    parts,
    measured.map(({ devices }) => devices),
  )
  const atMs = performance.now()
  return measured.map(({ entry: { id, machine }, vcpuMs, own, devices }) => ({
    id,
    atMs,
    memoryBytes: bytesOf(memory.get(machine.guid) ?? own.quantities.memoryMb),
    vcpuMs,
    ...count(devices),
    tools: tools.get(machine.guid) ?? {},
  }))
}

async function ifMeasurable(parts: MetricsParts, id: DomainId): Promise<(DomainMetrics & { readonly id: DomainId })[]> {
  try {
    return [{ id, ...(await measure(parts, id)) }]
  } catch (error) {
    if (error instanceof DriverError && error.kind !== 'unreachable') return []
    throw error
  }
}

async function devicesOf(parts: MetricsParts, { machine, note }: Entry): Promise<Devices> {
  const devices = devicesIn(await parts.backEnd.hardware(machine.guid), note)
  return (await countersOf(parts, [devices]))(devices)
}

/** The devices of a machine by the ids of disks and interfaces, and what they are counted by. */
interface Countable {
  readonly disks: readonly { readonly id: string; readonly path: string | undefined }[]
  readonly nics: readonly { readonly id: string; readonly guid: string | undefined }[]
}

const devicesIn = (hardware: Hardware, note: Entry['note']): Countable => ({
  disks: disksIn(hardware, note),
  nics: nicsIn(hardware, note),
})

/** What tells the counters of these. A device that the host does not count, or not apart from another, is left out. */
async function countersOf(
  { client, build }: Pick<MetricsParts, 'client' | 'build'>,
  all: readonly Countable[],
): Promise<(devices: Countable) => Devices> {
  const paths = all.flatMap(({ disks }) => disks.flatMap(({ path }) => path ?? []))
  const guids = all.flatMap(({ nics }) => nics.flatMap(({ guid }) => guid ?? []))
  const [images, adapters] = await Promise.all([
    readImageCounters(client, paths),
    readAdapterCounters(client, guids, build),
  ])
  return ({ disks, nics }) => ({
    disks: disks.flatMap(({ id, path }) => {
      const counted = path === undefined ? UNREAD : images.get(path)
      return counted === undefined ? [] : [{ id, ...counted }]
    }),
    nics: nics.flatMap(({ id, guid }) => {
      const counted = guid === undefined ? UNUSED : adapters.get(guid)
      return counted === undefined ? [] : [{ id, ...counted }]
    }),
  })
}

/** Of an empty drive, and of an adapter whose cable is plugged nowhere: nothing goes through them. */
const UNREAD: CountedImage = { readBytes: 0, writtenBytes: 0, reads: 0, writes: 0, flushes: 0, errors: 0 }
const UNUSED: CountedAdapter = { receivedBytes: 0, sentBytes: 0, receivedPackets: 0, sentPackets: 0 }

/** The drives of a machine by the ids of their disks, and what lies in them. */
function disksIn(
  { storage }: Hardware,
  note: Entry['note'],
): { readonly id: string; readonly path: string | undefined }[] {
  const kept = (note?.config?.disks ?? []).flatMap(({ id }) => {
    const drive = driveOf({ id }, storage, note?.places ?? {})
    return drive === undefined ? [] : [{ id, drive }]
  })
  const own = new Set(kept.map(({ drive }) => drive))
  const others = storage.drives.filter(drive => !own.has(drive) && !isEmptyFloppy(drive))
  return [...kept, ...others.map(drive => ({ id: idOfDevice(drive.id), drive }))].map(({ id, drive }) => {
    return { id, path: drive.medium?.path }
  })
}

/** The adapters of a machine by the ids of their interfaces; with their GUIDs where they are plugged in. */
function nicsIn(
  { adapters }: Hardware,
  note: Entry['note'],
): { readonly id: string; readonly guid: string | undefined }[] {
  const kept = (note?.config?.nics ?? []).flatMap(({ id }) => {
    const adapter = adapterOf({ id }, adapters)
    return adapter === undefined ? [] : [{ id, adapter }]
  })
  const own = new Set(kept.map(({ adapter }) => adapter))
  const others = adapters.filter(adapter => !own.has(adapter))
  return [...kept, ...others.map(adapter => ({ id: idOfDevice(adapter.id), adapter }))].map(({ id, adapter }) => {
    const isPlugged = adapter.cable?.switchGuid !== undefined
    return { id, guid: isPlugged ? adapter.id.split('\\')[1]?.toUpperCase() : undefined }
  })
}
