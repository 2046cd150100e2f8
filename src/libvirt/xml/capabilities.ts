import type { HostInfo } from '../../drivers/driver.ts'
import { VIR_FROM_NONE } from '../error-numbers.ts'
import { featureName } from './cpu.ts'
import type { HostKind } from './host-kind.ts'
import { element, write } from './writing.ts'

/** How many virtual CPUs a domain may have, where the host tells. */
export interface CapabilityFacts {
  readonly vcpusMax?: number
}

/**
 * Describes what a host can do as libvirt does. What hosts here do not tell is left out: vendor and model of the CPU, how
 * CPUs are grouped, NUMA nodes. Source: libvirt, formatcaps.
 */
export function writeCapabilities(info: HostInfo, kind: HostKind, { vcpusMax }: CapabilityFacts = {}): string {
  const domains = kind.types.map(type => element('domain', { type }))
  const features = (info.cpus[0]?.features ?? []).map(feature => element('feature', { name: featureName(feature) }))
  const cpu = element('cpu', {}, element('arch', {}, 'x86_64'), features)
  const machine =
    kind.machine === undefined
      ? undefined
      : element('machine', vcpusMax === undefined ? {} : { maxCpus: vcpusMax }, kind.machine)
  const capabilities = element(
    'capabilities',
    {},
    element('host', {}, element('uuid', {}, info.id), cpu),
    element(
      'guest',
      {},
      element('os_type', {}, 'hvm'),
      element('arch', { name: 'x86_64' }, element('wordsize', {}, '64'), machine, domains),
      element(
        'features',
        {},
        element('acpi', { default: 'on', toggle: 'no' }),
        element('apic', { default: 'on', toggle: 'no' }),
        element('pae'),
      ),
    ),
  )
  return write(capabilities, VIR_FROM_NONE)
}
