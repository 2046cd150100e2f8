import { defaultMemoryMb, DYNAMIC_LIMIT_MB, editionOf, numaNode } from './default-devices.ts'
import { featureSettings } from './features.ts'
import { type Feature, featuresOf } from './features-table.ts'
import type { Host } from './host.ts'
import type { Settings } from './model.ts'
import { NO_ADDRESS } from './resources-addresses.ts'
import { type Pool, poolsOf } from './pools.ts'
import type { KindName, ResourceKind } from './resources-kinds.ts'
import { MEMORY_MIN_MB, MEMORY_STEP_MB, memoryMaxMb } from './resources-memory.ts'
import { processorsMax, SHARE_MAX, WEIGHT_RANGE } from './resources-processor.ts'
import { settingsOf, type Values } from './resources-settings.ts'
import { diskPath } from './resources-storage.ts'

// Definition rows: what a resource of a kind is by default, at least, at most, and in what steps. Clients clone the
// first. Their InstanceIDs are Microsoft:Definition\GUID\Default and so on.

/** What a definition row says. Source: ValueRole and ValueRange of Msvm_SettingsDefineCapabilities. */
export const RANGES = {
  Default: { role: 0, range: 0 },
  Minimum: { role: 3, range: 1 },
  Maximum: { role: 3, range: 2 },
  Increment: { role: 3, range: 3 },
} as const

export type RangeName = keyof typeof RANGES

export const RANGE_NAMES = ['Default', 'Minimum', 'Maximum', 'Increment'] as const

/** A definition row. */
export interface Definition {
  /** Of the kind or feature: also of its capabilities. */
  readonly id: string
  readonly range: RangeName
  readonly settings: Settings
}

const rowId = (id: string, range: RangeName): string => `Microsoft:Definition\\${id}\\${range}`

/** The definition rows of all kinds of resources that this host has a pool of. */
export function definitionsOf(host: Host): Definition[] {
  return poolsOf(host).flatMap(pool => RANGE_NAMES.map(range => definitionOf(host, pool, range)))
}

/** One definition row of a pool's kind. */
export function definitionOf(host: Host, { kindName, kind, definition: id }: Pool, range: RangeName): Definition {
  return { id, range, settings: row(host, kindName, kind, id, range) }
}

/** The definition rows of features: each has its default alone. */
export function featureDefinitionsOf(host: Host): Definition[] {
  return featuresOf(host.state.build).map(feature => ({
    id: feature.id,
    range: 'Default',
    settings: featureRow(host, feature),
  }))
}

const featureRow = (host: Host, feature: Feature): Settings =>
  featureSettings(host.locale, feature, { InstanceID: rowId(feature.id, 'Default') })

const TEXTS: Readonly<Record<RangeName, readonly [english: string, japanese: string]>> = {
  Default: ['default', '既定の設定'],
  Minimum: ['minimum', '最小設定'],
  Maximum: ['maximum', '最大設定'],
  Increment: ['increment', '増分設定'],
}

function row(host: Host, name: KindName, kind: ResourceKind, id: string, range: RangeName): Settings {
  const [english, japanese] = TEXTS[range]
  const isJapanese = host.locale === 'ja-JP'
  const title = `${english.charAt(0).toUpperCase()}${english.slice(1)} Settings`
  return settingsOf(editionOf(host), name, {
    Caption: isJapanese ? `${kind.localName} ${japanese}` : `${kind.name} ${title}`,
    Description: isJapanese
      ? `${kind.localName}の${japanese}です。`
      : `Describes the ${english} settings for the ${kind.name.toLowerCase()} resources.`,
    ...valuesFor(host, name, range),
    InstanceID: rowId(id, range),
  })
}

function valuesFor(host: Host, name: KindName, range: RangeName): Values {
  switch (name) {
    case 'processor':
      return processorValues(host, range)
    case 'memory':
      return memoryValues(host, range)
    case 'syntheticPort':
    case 'emulatedPort':
      return range === 'Default' ? { Address: NO_ADDRESS, StaticMacAddress: false } : { StaticMacAddress: false }
    case 'connection':
      return { DesiredVLANEndpointMode: 2, EnabledState: 2 }
    case 'physicalDrive':
      // Source: the host's disks stand in the default row, where clients look for them.
      return range === 'Default'
        ? { HostResource: host.state.physicalDisks.map(({ number }) => diskPath(host, number)) }
        : {}
    case 'syntheticDisplay':
      return host.state.build < 10240 ? {} : { ResolutionType: 4, HorizontalResolution: 1920, VerticalResolution: 1200 }
    default:
      return {}
  }
}

function processorValues(host: Host, range: RangeName): Values {
  const shares = { least: 0n, most: BigInt(SHARE_MAX) }
  const numa = BigInt(numaNode(host).processors)
  const common = { MaxNumaNodesPerSocket: 1n, MaxProcessorsPerNumaNode: numa }
  const { least, most } = WEIGHT_RANGE
  switch (range) {
    case 'Default':
      return {
        ...common,
        VirtualQuantity: 1n,
        Reservation: 0n,
        Limit: shares.most,
        Weight: 100,
        LimitCPUID: false,
        LimitProcessorFeatures: false,
      }
    case 'Minimum':
      return { VirtualQuantity: 1n, Reservation: 0n, Limit: shares.least, Weight: least, MaxProcessorsPerNumaNode: 1n }
    case 'Maximum':
      return {
        ...common,
        VirtualQuantity: BigInt(processorsMax(host)),
        Reservation: shares.most,
        Limit: shares.most,
        Weight: most,
      }
    default:
      return { VirtualQuantity: 1n, Reservation: 1n, Limit: 1n, Weight: 1, MaxProcessorsPerNumaNode: 1n }
  }
}

function memoryValues(host: Host, range: RangeName): Values {
  const all = (megabytes: number, Weight: number): Values => {
    const amount = BigInt(megabytes)
    return { VirtualQuantity: amount, Reservation: amount, Limit: amount, Weight }
  }
  const MaxMemoryBlocksPerNumaNode = BigInt(numaNode(host).memoryMb)
  const { build } = host.state
  switch (range) {
    case 'Default':
      return {
        ...all(defaultMemoryMb(build), 5000),
        Reservation: 512n,
        Limit: BigInt(DYNAMIC_LIMIT_MB),
        DynamicMemoryEnabled: false,
        TargetMemoryBuffer: 20,
        MaxMemoryBlocksPerNumaNode,
      }
    case 'Minimum':
      return { ...all(MEMORY_MIN_MB, 0), TargetMemoryBuffer: 5 }
    case 'Maximum':
      return { ...all(memoryMaxMb(build), 10_000), TargetMemoryBuffer: 2000, MaxMemoryBlocksPerNumaNode }
    default:
      return { ...all(MEMORY_STEP_MB, 1), TargetMemoryBuffer: 1 }
  }
}
