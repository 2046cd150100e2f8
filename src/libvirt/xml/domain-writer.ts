import type { DomainConfig, PlatformConfig } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_FROM_DOMAIN } from '../error-numbers.ts'
import { writeCpu } from './cpu.ts'
import { writeDisk } from './disk.ts'
import { writeExtension } from './extension.ts'
import { writeHardware } from './hardware.ts'
import type { HostKind } from './host-kind.ts'
import { type KnownNetwork, writeInterface } from './interface.ts'
import { writeMetadata } from './metadata.ts'
import { writeBoot } from './os-and-boot.ts'
import { writeClock, writeExits, writeFeatures } from './platform.ts'
import { writeCpus } from './scheduling.ts'
import { kibibytes } from './units.ts'
import { element, textElement, write } from './writing.ts'

/** How a domain is to be described. */
export interface DomainDescription {
  readonly kind: HostKind
  readonly networks: readonly KnownNetwork[]
  /** Of a running domain, what is so now; absent, it is described as it starts next. */
  readonly live?: LiveDescription
}

/** What is only true of a domain while it runs. */
export interface LiveDescription {
  /** Its number. */
  readonly id: number
  /** What it has of its memory. */
  readonly memoryNowBytes?: number
  /** Where viewers on the server's machine reach its screen. */
  readonly screenPort?: number
  /** Whether something in its guest listens on the channel of the agent; absent where nobody tells. */
  readonly hasAgent?: boolean
  /** Whether its machine has a serial port where its definition says nothing of one. Absent: no. */
  readonly hasSerialPort?: boolean
}

/**
 * Describes a domain as libvirt does. What is described is everything: `readDomain` gives the same definition. There are
 * no secrets in it. Throws LibvirtError as VIR_ERR_XML_ERROR for a text that XML has no way to carry.
 * Source: libvirt, formatdomain.
 */
export function writeDomain(config: DomainConfig, description: DomainDescription): string {
  return write(domainElement(config, description), VIR_FROM_DOMAIN)
}

/** The description, to stand in another document. */
export function domainElement(config: DomainConfig, { kind, networks, live }: DomainDescription): XmlOutput {
  const { id, name, description, memoryBytes, memoryTargetBytes = memoryBytes } = config
  const { platform = {}, annotations = {} } = config
  const board = { ...platform, enlightened: platform.enlightened === true && kind.enlightenment === 'chosen' }
  const currentBytes = Math.min(live?.memoryNowBytes ?? memoryTargetBytes, memoryBytes)
  return element(
    'domain',
    { type: kind.types[0], id: live?.id },
    element('name', {}, name),
    element('uuid', {}, id),
    textElement('title', annotations.title ?? ''),
    textElement('description', description),
    writeMetadata(annotations, writeExtension(config)),
    element('memory', { unit: 'KiB' }, `${kibibytes(memoryBytes)}`),
    element('currentMemory', { unit: 'KiB' }, `${kibibytes(currentBytes)}`),
    writeCpus(config),
    writeBoot(config.boot, kind),
    writeFeatures(board),
    writeCpu(config.cpu, kind),
    writeClock(board),
    writeExits(config.exits),
    writeDevices(config, { kind, networks, ...(live !== undefined && { live }) }),
  )
}

function writeDevices(config: DomainConfig, { kind, networks, live }: DomainDescription): XmlOutput {
  const { id: domainId, disks, nics = [], platform = {} } = config
  return element(
    'devices',
    {},
    textElement('emulator', kind.emulator ?? ''),
    disks.map(disk => writeDisk(disk, { domainId, kind })),
    nics.map((nic, index) => writeInterface(nic, { domainId, kind, networks, before: nics.slice(0, index) })),
    writeHardware(withPort(platform, live), kind, live),
  )
}

/** A machine has a serial port unless it was told to have none, also where nothing was said of it. */
const withPort = (platform: PlatformConfig, live: LiveDescription | undefined): PlatformConfig =>
  live?.hasSerialPort === true && platform.serial === undefined ? { ...platform, serial: 'console' } : platform
