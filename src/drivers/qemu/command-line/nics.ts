import type { Definition } from '../definition.ts'
import type { DomainFiles } from '../layout.ts'
import { cableOf, cableProperties, nicProperties } from '../nics.ts'
import { device } from './option.ts'

/** The network interfaces, each with the end of its cable. */
export function nicArguments({ config: { nics = [] }, slots }: Definition, files: DomainFiles): string[] {
  return nics.flatMap(nic => [
    '-netdev',
    JSON.stringify(cableProperties(cableOf(files, nic, slots))),
    ...device(nicProperties(nic, slots)),
  ])
}
