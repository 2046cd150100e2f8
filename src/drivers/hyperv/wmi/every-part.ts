import { allOf, type CimInstance, embedded, type Wql, wql, wqlName, wqlNames } from '../../../protocols/wsman/index.ts'
import type { Link } from './link.ts'

/** The properties of the settings of one class that are asked for, of those that a condition holds for. */
export interface PartClass {
  readonly className: string
  readonly properties: readonly string[]
  readonly where?: Wql
}

/** The settings of these classes, of all machines, snapshots and definitions. */
export async function partsOf({ client }: Link, classes: readonly PartClass[]): Promise<readonly CimInstance[]> {
  const rows = await Promise.all(
    classes.map(async ({ className, properties, where }) => {
      const all = wql`SELECT ${wqlNames(properties)} FROM ${wqlName(className)}`
      const picked = await client.query(where === undefined ? all : wql`${all} WHERE ${allOf([where])}`)
      // What a query has picked does not tell its class.
      return picked.map(row => embedded(className, {}).with(row))
    }),
  )
  return rows.flat()
}
