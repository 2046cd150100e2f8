import type { HostInfo } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_INVALID_ARG, VIR_FROM_NONE } from '../error-numbers.ts'
import { LibvirtError } from '../errors.ts'
import type { HostKind } from './host-kind.ts'
import { element, write } from './writing.ts'

/** Of which machines it is asked what they can have; what is not said is as it is here. */
export interface MachineChoice {
  readonly emulator?: string | undefined
  readonly arch?: string | undefined
  readonly machine?: string | undefined
  readonly type?: string | undefined
}

/** What is told of them. */
export interface DomainCapabilityFacts {
  readonly info: HostInfo
  readonly kind: HostKind
  readonly vcpusMax: number | undefined
}

/**
 * Describes what machines of a host can have, as libvirt does: what is told here, a description may ask for. Throws
 * LibvirtError where no machine is as chosen. Source: libvirt, formatdomaincaps; virQEMUCapsFillDomainCaps.
 */
export function writeDomainCapabilities(choice: MachineChoice, facts: DomainCapabilityFacts): string {
  const { info, kind, vcpusMax } = facts
  assertThere(choice, facts)
  const capabilities = element(
    'domainCapabilities',
    {},
    info.emulator !== undefined && element('path', {}, info.emulator.program),
    element('domain', {}, choice.type ?? kind.types[0]),
    kind.machine !== undefined && element('machine', {}, choice.machine ?? kind.machine),
    element('arch', {}, 'x86_64'),
    vcpusMax !== undefined && element('vcpu', { max: vcpusMax }),
    unsupported('iothreads'),
    element('os', { supported: 'yes' }, values('firmware', ['bios']), unsupported('loader')),
    writeCpuModes(kind),
    unsupported('memoryBacking'),
    writeDevices(facts),
    element('features', {}, ['gic', 'vmcoreinfo', 'genid', 'backingStoreInput', 'backup'].map(unsupported)),
  )
  return write(capabilities, VIR_FROM_NONE)
}

function assertThere({ emulator, arch, machine, type }: MachineChoice, { info, kind }: DomainCapabilityFacts): void {
  if (arch !== undefined && arch !== 'x86_64') throw refused(`machines here are x86_64, not ${arch}`)
  if (type !== undefined && !kind.types.includes(type)) {
    throw refused(`domains here are of type ${kind.types.join(' or ')}, not ${type}`)
  }
  if (machine !== undefined && !kind.machines.test(machine)) throw refused(`no machine here is ${machine}`)
  if (emulator !== undefined && emulator !== info.emulator?.program) {
    throw refused(`domains here are not run by ${emulator}`)
  }
}

const refused = (detail: string): LibvirtError =>
  new LibvirtError(VIR_ERR_INVALID_ARG, detail.slice(0, 200), { domain: VIR_FROM_NONE })

/** No CPU goes by the name of a model here. */
function writeCpuModes({ cpuMode }: HostKind): XmlOutput {
  const isPassed = cpuMode === 'host-passthrough'
  return element(
    'cpu',
    {},
    isPassed
      ? element('mode', { name: 'host-passthrough', supported: 'yes' }, values('hostPassthroughMigratable', ['on']))
      : element('mode', { name: 'host-passthrough', supported: 'no' }),
    element('mode', { name: 'maximum', supported: 'yes' }, values('maximumMigratable', ['on'])),
    element('mode', { name: 'host-model', supported: 'no' }),
    element('mode', { name: 'custom', supported: 'no' }),
  )
}

function writeDevices({ info, kind }: DomainCapabilityFacts): XmlOutput {
  const { buses, videos, hostDevices, channels } = kind.offer
  const tpms = info.emulator?.hasTpm === false ? [] : kind.offer.tpms
  return element(
    'devices',
    {},
    block('disk', buses, values('diskDevice', ['disk', 'cdrom', 'floppy']), values('bus', buses)),
    block('graphics', kind.hasVnc ? ['vnc'] : [], values('type', ['vnc'])),
    block('video', videos, values('modelType', videos)),
    block(
      'hostdev',
      hostDevices,
      values('mode', ['subsystem']),
      values('startupPolicy', ['default']),
      values('subsysType', ['pci']),
      values('capsType', []),
      values('pciBackend', hostDevices),
    ),
    block('rng', kind.hasRng ? ['virtio'] : [], values('model', ['virtio']), values('backendModel', ['random'])),
    unsupported('filesystem'),
    block('tpm', tpms, values('model', tpms), values('backendModel', ['emulator']), values('backendVersion', ['2.0'])),
    unsupported('redirdev'),
    block('channel', channels, values('type', channels)),
  )
}

const block = (name: string, has: readonly string[], ...parts: readonly XmlOutput[]): XmlOutput =>
  has.length === 0 ? unsupported(name) : element(name, { supported: 'yes' }, parts)

const unsupported = (name: string): XmlOutput => element(name, { supported: 'no' })

const values = (name: string, all: readonly string[]): XmlOutput =>
  element(
    'enum',
    { name },
    all.map(value => element('value', {}, value)),
  )
