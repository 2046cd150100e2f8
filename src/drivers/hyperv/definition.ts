import type { DomainConfig } from '../driver.ts'
import type { Hardware, Quantities } from './back-end.ts'
import type { Entry } from './directory.ts'
import { descriptionIn } from './note.ts'
import { bytesOf, megabytesOf, quantitiesOf, schedulingOf, sharesOf } from './quantities.ts'

/**
 * The definition of a domain: what was kept of it, and of what the machine has, what somebody else has changed since.
 * One that is still pending is told as it was given.
 */
export function definitionOf(entry: Entry, { quantities }: Hardware): DomainConfig {
  const { note, machine, id } = entry
  const kept = note?.config
  if (kept === undefined) return described(entry, quantities)
  const named = { ...kept, id, name: machine.name, description: descriptionOf(kept, machine.notes) }
  return note?.isPending === true ? named : withQuantities(named, quantities)
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
  const bytes = bytesOf(megabytes)
  const most = megabytesOf(config.memoryBytes)
  if (megabytes === most) return config
  return megabytes > most ? { ...config, memoryBytes: bytes } : { ...config, memoryTargetBytes: bytes }
}

/** A machine that somebody else has made. */
function described({ id, machine }: Entry, quantities: Quantities): DomainConfig {
  const scheduling = schedulingOf(quantities)
  return {
    id,
    name: machine.name,
    description: descriptionIn(machine.notes),
    memoryBytes: bytesOf(quantities.memoryMb),
    vcpus: quantities.vcpus,
    ...(scheduling !== undefined && { scheduling }),
    boot: { kind: 'firmware', device: 'disk' },
    disks: [],
  }
}
