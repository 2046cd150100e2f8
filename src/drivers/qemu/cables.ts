import { existsSync } from 'node:fs'
import type { Definition } from './definition.ts'
import type { DomainFiles } from './layout.ts'
import type { Cable } from './networks/networks.ts'
import { cableOf } from './nics.ts'

/** The cables of all interfaces of a definition. */
export const cablesOf = ({ config, slots }: Definition, files: DomainFiles): Cable[] =>
  (config.nics ?? []).map(nic => cableOf(files, nic, slots))

/** Of a domain that was found running: its cables, without those of interfaces that it has not got yet. */
export const livingCablesOf = (definition: Definition, files: DomainFiles): Cable[] =>
  cablesOf(definition, files).filter(({ path }) => existsSync(path))
