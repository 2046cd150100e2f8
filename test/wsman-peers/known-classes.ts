import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Node } from './literal-xml.ts'
import { propertyOf, valuesOf } from './recorded-client.ts'

/** Types and names of properties; those of arrays end in `[]`. */
export type Properties = readonly (readonly [type: string, name: string])[]

const FOLDER = join(import.meta.dirname, '..', 'fixtures', 'hyperv', 'schema')
const LIMITS: Readonly<Record<string, bigint>> = {
  uint8: 0xffn,
  uint16: 0xffffn,
  uint32: 0xffff_ffffn,
  uint64: 0xffff_ffff_ffff_ffffn,
}

/** What drivers of libvirt read of each class: of 1.3.1 and 3.2.0 (`v1`), or of 11.3.0 (`v2`). */
export async function classesIn(version: 'v1' | 'v2'): Promise<Readonly<Record<string, Properties>>> {
  return JSON.parse(await readFile(join(FOLDER, `${version}-properties-read-by-libvirt.json`), 'utf8'))
}

/** What a query for a class has to say where asking for all is too much. */
export function conditionFor(className: string): string {
  return className === 'CIM_DataFile' ? "WHERE Name='c:\\\\windows\\\\system32\\\\vmms.exe'" : ''
}

/**
 * Reads an item as openwsman does, for which a property that is missing, or there twice, or no number is the end of the
 * enumeration.
 */
export function checkItem(item: Node, properties: Properties): void {
  assert.equal(item.attributes.get('xmlns:p'), item.uri)
  for (const [type, name] of properties) {
    const values = name.endsWith('[]') ? valuesOf(item, name.slice(0, -2)) : [propertyOf(item, name)]
    for (const value of values) if (value !== undefined) checkValue(`${item.local}.${name}`, type, value)
  }
}

function checkValue(where: string, type: string, value: string): void {
  const limit = LIMITS[type]
  if (limit !== undefined) assert.ok(/^\d+$/.test(value) && BigInt(value) <= limit, `${where} is ${value}`)
  if (type === 'boolean') assert.match(value, /^(true|false)$/, where)
}
