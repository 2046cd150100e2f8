import type { Definition } from '../definition.ts'
import type { DomainFiles } from '../layout.ts'
import { cableOf, cableProperties, nicProperties } from '../nics.ts'
import { byDevice } from '../slots.ts'
import { device } from './option.ts'

/** The network interfaces, each with the end of its cable. */
export function nicArguments({ config, slots }: Definition, files: DomainFiles): string[] {
  const { nics = [], boot } = config
  const booted = boot.kind === 'firmware' && boot.device === 'network' ? nics.toSorted(byDevice)[0] : undefined
  return nics.flatMap(nic => [
    '-netdev',
    JSON.stringify(cableProperties(cableOf(files, nic, slots))),
    ...device(nicProperties(nic, slots, { isBooted: nic === booted })),
  ])
}
