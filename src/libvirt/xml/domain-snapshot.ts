import type { Snapshot } from '../../drivers/driver.ts'
import { VIR_ERR_XML_DETAIL, VIR_FROM_DOMAIN_SNAPSHOT } from '../error-numbers.ts'
import { OF_SNAPSHOT } from './accepted-elsewhere.ts'
import { readDocument } from './reading.ts'
import { element, textElement, write } from './writing.ts'

/** A snapshot that is to be made. */
export interface SnapshotDescription {
  /** Absent: to be called by the time, in seconds since 1970, as libvirt does. */
  readonly name?: string
  readonly description: string
  /** Whether memory is to be kept too; absent: of a domain that has some now. */
  readonly keepsMemory?: boolean
}

/**
 * Reads the description of a snapshot that is to be made. What libvirt tells of snapshots there are, such as when they
 * were made, does not count. Throws LibvirtError as `readDomain` does. Source: libvirt, formatsnapshot.
 */
export function readSnapshot(text: string): SnapshotDescription {
  const snapshot = readDocument(text, 'domainsnapshot', VIR_FROM_DOMAIN_SNAPSHOT)
  const name = snapshot.child('name')?.rawText() ?? ''
  // A name with a slash at its beginning is what libvirt refuses; one with a line end no document can have.
  if (/^[./]|\n/.test(name)) snapshot.fail(VIR_ERR_XML_DETAIL, 'invalid char in name')
  const memory = snapshot.child('memory')?.word('snapshot', ['internal', 'no'])
  const description = snapshot.child('description')?.rawText() ?? ''
  for (const domain of ['domain', 'inactiveDomain']) snapshot.child(domain)?.ignoreAll()
  snapshot.acceptHarmless(OF_SNAPSHOT)
  snapshot.finish()
  return {
    ...(name !== '' && { name }),
    description,
    ...(memory !== undefined && { keepsMemory: memory === 'internal' }),
  }
}

/** What belongs to a snapshot. */
export interface SnapshotPlace {
  readonly domainId: string
  /** The name of the one that it builds on. */
  readonly parent?: string
}

/**
 * Describes a snapshot as libvirt does. One with memory is `running`, or `paused`: what was kept of the domain goes on where it was.
 * What the domain's definition was, hosts here do not tell before they go back to it.
 */
export function writeSnapshot(snapshot: Snapshot, { domainId, parent }: SnapshotPlace): string {
  const hasMemory = snapshot.state === 'suspended'
  const root = element(
    'domainsnapshot',
    {},
    element('name', {}, snapshot.name),
    textElement('description', snapshot.description),
    element('state', {}, hasMemory ? (snapshot.wasPaused === true ? 'paused' : 'running') : 'shutoff'),
    parent !== undefined && element('parent', {}, element('name', {}, parent)),
    element('creationTime', {}, `${Math.floor(snapshot.createdMs / 1000)}`),
    element('memory', { snapshot: hasMemory ? 'internal' : 'no' }),
    element('domain', {}, element('uuid', {}, domainId)),
  )
  return write(root, VIR_FROM_DOMAIN_SNAPSHOT)
}
