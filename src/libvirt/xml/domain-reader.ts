import type { DiskConfig, DomainConfig, NicConfig, PlatformConfig } from '../../drivers/driver.ts'
import {
  VIR_ERR_INTERNAL_ERROR,
  VIR_ERR_NO_NAME,
  VIR_ERR_XML_DETAIL,
  VIR_ERR_XML_ERROR,
  VIR_FROM_DOMAIN,
} from '../error-numbers.ts'
import { assertGroups } from './io-tune.ts'
import { assertAliases } from './own-alias.ts'
import { OF_DEVICES, OF_DOMAIN } from './accepted.ts'
import { bootableDisk, bootableNic, bootOrderOf, type BootPlace, readBootPlace } from './boot-order.ts'
import { readCpu } from './cpu.ts'
import { type DiskSurroundings, readDisk } from './disk.ts'
import { type Extension, readExtension } from './extension.ts'
import { readHardware } from './hardware.ts'
import type { HostKind } from './host-kind.ts'
import { parseUuid } from './identity.ts'
import { type KnownNetwork, readInterface } from './interface.ts'
import { readAnnotations } from './metadata.ts'
import { readBoot } from './os-and-boot.ts'
import { readClock, readExits, readFeatures } from './platform.ts'
import { readDocument, type Reading } from './reading.ts'
import { readCpus } from './scheduling.ts'
import { readMemoryBytes } from './units.ts'

/** What is known where a domain is described. */
export interface DomainSurroundings {
  readonly kind: HostKind
  /** The networks of the host, which descriptions call by their names. */
  readonly networks: readonly KnownNetwork[]
  /** As where a disk is read. */
  readonly images?: DiskSurroundings['images']
  /** The UUID of a domain whose description has none. */
  readonly newId: () => string
}

/**
 * Reads the description of a domain. The same description always gives the same definition where it has a UUID: ids of
 * devices, and addresses of interfaces that have none, follow from the UUID and the device's place.
 *
 * Throws LibvirtError: as VIR_ERR_XML_ERROR and its like where it describes no domain, as VIR_ERR_CONFIG_UNSUPPORTED
 * where no host of this kind can be so, naming the element or attribute. Nothing is left out of a definition that a
 * description says, but what accepted.ts lists. Source: libvirt, formatdomain; src/conf/domain_conf.c.
 */
export function readDomain(text: string, surroundings: DomainSurroundings): DomainConfig {
  const domain = readDocument(text, 'domain', VIR_FROM_DOMAIN)
  readType(domain, surroundings.kind)
  const config = readConfig(domain, surroundings)
  domain.acceptHarmless(OF_DOMAIN)
  domain.finish()
  return config
}

function readType(domain: Reading, { types }: HostKind): void {
  const type = domain.attribute('type')
  if (type === undefined) return domain.fail(VIR_ERR_INTERNAL_ERROR, 'missing domain type attribute')
  if (!types.includes(type)) domain.refuse('/@type', type, `domains here are of type ${types.join(' or ')}`)
  domain.attribute('id') // The number of a running domain is the host's.
}

function readConfig(domain: Reading, surroundings: DomainSurroundings): DomainConfig {
  const { kind } = surroundings
  const metadata = domain.child('metadata')
  const extension = readExtension(metadata)
  const annotations = readAnnotations(domain, metadata)
  const name = readName(domain)
  const id = readId(domain) ?? surroundings.newId()
  const { disks, places, nics, platform } = readDevices(domain, id, surroundings, extension)
  const cpu = readCpu(domain, kind)
  const exits = readExits(domain, extension)
  return {
    id,
    name,
    description: domain.child('description')?.rawText() ?? '',
    ...readMemory(domain),
    ...readCpus(domain),
    ...(cpu !== undefined && { cpu }),
    boot: readBoot(
      domain,
      kind,
      bootOrderOf(places, [...disks.map(bootableDisk), ...nics.map(bootableNic)]),
      extension,
    ),
    disks,
    ...(nics.length > 0 && { nics }),
    ...(Object.keys(platform).length > 0 && { platform }),
    ...(exits !== undefined && { exits }),
    ...(annotations !== undefined && { annotations }),
  }
}

function readName(domain: Reading): string {
  const name = domain.child('name')?.rawText() ?? ''
  if (name === '') return domain.fail(VIR_ERR_NO_NAME, domain.path)
  if (name.includes('\n')) return domain.fail(VIR_ERR_XML_DETAIL, 'invalid char in name: \\n')
  return name
}

function readId(domain: Reading): string | undefined {
  const uuid = domain.child('uuid')
  if (uuid === undefined) return undefined
  return parseUuid(uuid.text()) ?? uuid.fail(VIR_ERR_INTERNAL_ERROR, 'malformed uuid element')
}

type Memory = Pick<DomainConfig, 'memoryBytes' | 'memoryTargetBytes'>

/** More at first than at most is as much as there is at most. Source: libvirt, virDomainDefPostParseMemory. */
function readMemory(domain: Reading): Memory {
  const memory = domain.child('memory')
  if (memory === undefined) {
    return domain.fail(VIR_ERR_XML_ERROR, 'Memory size must be specified via <memory> or in the <numa> configuration')
  }
  memory.word('dumpCore', ['on', 'off']) // Dumps are whole here.
  const memoryBytes = readMemoryBytes(memory)
  if (memoryBytes === 0) return memory.invalid('', '0')
  const current = domain.child('currentMemory')
  const currentBytes = current === undefined ? 0 : readMemoryBytes(current)
  if (currentBytes === 0 || currentBytes >= memoryBytes) return { memoryBytes }
  return { memoryBytes, memoryTargetBytes: currentBytes }
}

interface Devices {
  readonly disks: readonly DiskConfig[]
  readonly places: readonly BootPlace[]
  readonly nics: readonly NicConfig[]
  readonly platform: PlatformConfig
}

function readDevices(
  domain: Reading,
  domainId: string,
  { kind, networks, images }: DomainSurroundings,
  extension: Extension,
): Devices {
  const features = readFeatures(domain, kind)
  const board = { ...readClock(domain, kind, features), ...features }
  const devices = domain.child('devices')
  if (devices === undefined) return { disks: [], places: [], nics: [], platform: board }
  const nics: NicConfig[] = []
  const cards = devices.children('interface').map(reading => {
    const nic = readInterface(reading, { domainId, kind, networks, before: nics })
    nics.push(nic)
    return { reading, nic }
  })
  const drives = devices.children('disk').map(reading => {
    return { reading, disk: readDisk(reading, { domainId, kind, ...(images && { images }) }) }
  })
  const disks = drives.map(({ disk }) => disk)
  refuseTwins(devices, disks, nics)
  assertAliases(devices, [...disks, ...nics])
  assertGroups(devices, disks)
  const places = [
    ...drives.flatMap(({ reading, disk }) => readBootPlace(reading, bootableDisk(disk)) ?? []),
    ...cards.flatMap(({ reading, nic }) => readBootPlace(reading, bootableNic(nic)) ?? []),
  ]
  const platform = { ...readHardware(devices, extension, kind), ...board }
  devices.acceptHarmless(OF_DEVICES)
  return { disks, places, nics, platform }
}

/** Names of disks are theirs alone, and ids are those of one device of their kind. */
function refuseTwins(devices: Reading, disks: readonly DiskConfig[], nics: readonly NicConfig[]): void {
  const twin = twinOf(disks.map(({ device }) => device))
  if (twin !== undefined) devices.fail(VIR_ERR_XML_ERROR, `target '${twin}' duplicated`)
  const id = twinOf(disks.map(disk => disk.id)) ?? twinOf(nics.map(nic => nic.id))
  if (id !== undefined) devices.fail(VIR_ERR_XML_ERROR, `non unique alias detected: ua-${id}`)
}

const twinOf = (words: readonly string[]): string | undefined => {
  const seen = new Set<string>()
  return words.find(word => seen.size === seen.add(word).size)
}
