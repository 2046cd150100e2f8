import type { HostHardware, HostInfo } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_FROM_NONE } from '../error-numbers.ts'
import { featureName } from './cpu.ts'
import type { HostKind } from './host-kind.ts'
import { kibibytes } from './units.ts'
import { element, write } from './writing.ts'

/** What else a host tells of itself. */
export interface CapabilityFacts {
  /** How many virtual CPUs a domain may have. */
  readonly vcpusMax?: number
  readonly hardware?: Pick<HostHardware, 'nodes'>
}

/**
 * Describes what a host can do as libvirt does. What hosts here do not tell is left out: vendor and model of the CPU, how
 * CPUs are grouped. Source: libvirt, formatcaps.
 */
export function writeCapabilities(info: HostInfo, kind: HostKind, facts: CapabilityFacts = {}): string {
  const features = (info.cpus[0]?.features ?? []).map(feature => element('feature', { name: featureName(feature) }))
  const cpu = element('cpu', {}, element('arch', {}, 'x86_64'), features)
  const host = element('host', {}, element('uuid', {}, info.id), cpu, writeTopology(info, facts))
  return write(element('capabilities', {}, host, writeGuest(info, kind, facts)), VIR_FROM_NONE)
}

/** The NUMA nodes of a host that has one: its memory and its CPUs are those of the host. */
function writeTopology({ memoryBytes, cpus }: HostInfo, { hardware }: CapabilityFacts): XmlOutput | undefined {
  if (hardware?.nodes !== 1) return undefined
  const memory = element('memory', { unit: 'KiB' }, `${kibibytes(memoryBytes)}`)
  const numbers = cpus.map(({ number }) => element('cpu', { id: number }))
  const cell = element('cell', { id: 0 }, memory, element('cpus', { num: cpus.length }, numbers))
  return element('topology', {}, element('cells', { num: 1 }, cell))
}

/** The kind of machines that there are. */
function writeGuest({ emulator }: HostInfo, kind: HostKind, { vcpusMax }: CapabilityFacts): XmlOutput {
  const domains = kind.types.map(type => element('domain', { type }))
  const machine = kind.machine !== undefined && element('machine', { maxCpus: vcpusMax }, kind.machine)
  return element(
    'guest',
    {},
    element('os_type', {}, 'hvm'),
    element(
      'arch',
      { name: 'x86_64' },
      element('wordsize', {}, '64'),
      emulator !== undefined && element('emulator', {}, emulator.program),
      machine,
      domains,
    ),
    element(
      'features',
      {},
      element('acpi', { default: 'on', toggle: 'no' }),
      element('apic', { default: 'on', toggle: 'no' }),
      element('pae'),
    ),
  )
}
