import type { Instance, Schema } from '../cim/model.ts'
import { type Definition, definitionOf, RANGE_NAMES, type RangeName } from '../host/definitions.ts'
import type { Host } from '../host/host.ts'
import { type Pool, poolsOf } from '../host/pools.ts'
import { sameId } from '../host/resources-ids.ts'
import { KINDS, type ResourceKind } from '../host/resources-kinds.ts'
import { elementNameOf, idOf } from '../host/resources-settings.ts'
import { numberIn } from '../host/settings.ts'
import { type Row, rowOf } from '../v2/rows.ts'
import { SHOWN, type V1Kind } from './translate-kinds.ts'
import { resourceRow } from './translate-resources.ts'

/** A definition row that v1 shows. */
export interface ShownDefinition extends Definition {
  readonly pool: Pool
  readonly kind: V1Kind
}

/** The pools of what v1 shows, each with its kind. */
export function poolsHere(host: Host): { readonly pool: Pool; readonly kind: V1Kind }[] {
  return poolsOf(host).flatMap(pool => {
    const kind = SHOWN.get(pool.kindName)
    return kind === undefined ? [] : [{ pool, kind }]
  })
}

export const definitionsHere = (host: Host): ShownDefinition[] => poolsHere(host).flatMap(one => rangesOf(host, one))

/** The four rows of a pool's kind. */
export function rangesOf(
  host: Host,
  { pool, kind }: { readonly pool: Pool; readonly kind: V1Kind },
): ShownDefinition[] {
  return RANGE_NAMES.map((range: RangeName) => ({ ...definitionOf(host, pool, range), pool, kind }))
}

/** By its InstanceID. */
export function definitionNamed(host: Host, id: string): ShownDefinition | undefined {
  const [, guid] = /^Microsoft:Definition\\([0-9A-F-]{36})\\/i.exec(id) ?? []
  const found = poolsHere(host).find(({ pool }) => guid !== undefined && sameId(pool.definition, guid))
  return found === undefined ? undefined : rangesOf(host, found).find(({ settings }) => sameId(idOf(settings), id))
}

/**
 * A definition row. It is titled as a resource of its kind is, which is what clients clone it for.
 * Source: recorded from a host of Server 2012.
 */
export function definitionRow(host: Host, schema: Schema, definition: ShownDefinition): Instance {
  const { settings, pool, kind } = definition
  const described: ResourceKind = KINDS[pool.kindName]
  const isJapanese = host.locale === 'ja-JP'
  const row: Row = {
    ...resourceRow(host, settings)?.row,
    Caption: isJapanese ? described.localName : described.name,
    ConsumerVisibility: undefined,
    Description: isJapanese ? `${described.localName}の設定です。` : described.description,
    ElementName: elementNameOf(pool.kindName, host.locale),
    ...(pool.kindName === 'memory' ? memoryOf(definition) : {}),
  }
  return rowOf(schema, kind.className, row)
}

/** A new machine's memory is all reserved for it. */
function memoryOf({ range, settings }: ShownDefinition): Row {
  const amount = BigInt(numberIn(settings, 'VirtualQuantity') ?? 0)
  return range === 'Default' ? { Limit: amount, Reservation: amount } : {}
}
