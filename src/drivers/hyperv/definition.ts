import type { DomainConfig } from '../driver.ts'
import type { Hardware, Quantities } from './back-end.ts'
import { type DeviceSources, disksOf, nicsOf } from './device-definitions.ts'
import { type Entry, nameOf } from './directory.ts'
import { descriptionIn, memoryMade } from './note.ts'
import { bytesOf, megabytesOf, quantitiesOf, schedulingOf, sharesOf } from './quantities.ts'

/**
 * The definition of a domain: what was kept of it, and of what the machine has, what somebody else has changed since.
 * One that is still pending is told as it was given.
 */
export async function definitionOf(sources: DeviceSources, entry: Entry, hardware: Hardware): Promise<DomainConfig> {
  const { note, machine, id } = entry
  const kept = note?.config
  if (kept !== undefined && note?.isPending === true) return named(entry, kept)
  const [disks, nics] = await Promise.all([
    disksOf(sources, hardware, kept?.disks ?? [], note?.places ?? {}),
    nicsOf(sources, hardware, kept?.nics),
  ])
  if (kept === undefined) return { ...described({ id, machine }, hardware.quantities), disks, ...(nics && { nics }) }
  return { ...withQuantities(named(entry, kept), hardware.quantities), disks, ...(nics && { nics }) }
}

/** What the machine of a domain is made of, where its definition waits for it to start again. */
export async function madeOf(
  sources: DeviceSources,
  entry: Entry,
  hardware: Hardware,
): Promise<DomainConfig | undefined> {
  const { note } = entry
  if (note?.isPending !== true) return undefined
  const config = note.config && withMade(note.config, memoryMade(note) ?? bytesOf(hardware.quantities.memoryMb))
  return definitionOf(sources, { ...entry, note: { ...note, isPending: false, config } }, hardware)
}

/** With the memory of the machine, and not what it is to have. */
function withMade({ memoryTargetBytes: _target, ...config }: DomainConfig, memoryBytes: number): DomainConfig {
  return { ...config, memoryBytes }
}

function named(entry: Entry, kept: DomainConfig): DomainConfig {
  const { id, machine } = entry
  return { ...kept, id, name: nameOf(entry), description: descriptionOf(kept, machine.notes) }
}

/** Line ends do not count, which not everybody keeps. */
function descriptionOf({ description }: DomainConfig, notes: string): string {
  const seen = descriptionIn(notes)
  return normal(seen) === normal(description) ? description : seen
}

const normal = (text: string): string => text.replace(/\r\n?/g, '\n').trim()

function withQuantities(config: DomainConfig, now: Quantities): DomainConfig {
  const wanted = quantitiesOf(config)
  const { scheduling, ...rest } = wanted.memoryMb === now.memoryMb ? config : withMemory(config, now.memoryMb)
  const shares = sharesOf(scheduling)
  const isSame = shares.weight === now.weight && shares.limit === now.limit
  const current = isSame ? scheduling : schedulingOf(now)
  return { ...rest, vcpus: now.vcpus, ...(current !== undefined && { scheduling: current }) }
}

/** More than there was at most is the most from now on; less is what it is to have of that. */
function withMemory({ memoryTargetBytes: _target, ...config }: DomainConfig, megabytes: number): DomainConfig {
  const memoryBytes = mostWith(config.memoryBytes, megabytes)
  const isAll = megabytes >= megabytesOf(memoryBytes)
  return { ...config, memoryBytes, ...(!isAll && { memoryTargetBytes: bytesOf(megabytes) }) }
}

/** How much memory a machine can have that could have `most` bytes, and has so many megabytes now. */
export const mostWith = (most: number, megabytes: number): number =>
  megabytes > megabytesOf(most) ? bytesOf(megabytes) : most

/** What machines that somebody else has made are told to boot from, whatever their firmware tries before. */
export const FOUND_BOOT: DomainConfig['boot'] = { kind: 'firmware', device: 'disk' }

/** A machine that somebody else has made. */
function described({ id, machine }: Pick<Entry, 'id' | 'machine'>, quantities: Quantities): DomainConfig {
  const scheduling = schedulingOf(quantities)
  return {
    id,
    name: machine.name,
    description: descriptionIn(machine.notes),
    memoryBytes: bytesOf(quantities.memoryMb),
    vcpus: quantities.vcpus,
    ...(scheduling !== undefined && { scheduling }),
    boot: FOUND_BOOT,
    disks: [],
  }
}
