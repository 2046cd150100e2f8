import type { DomainConfig } from '../../driver.ts'
import type { Definition } from '../definition.ts'
import { BALLOON, placeOf } from '../slots.ts'
import { device, doubleCommas } from './option.ts'

/** A guest's memory is rounded up to this; QEMU itself would round to 8 KiB, and take 0 for its default. */
export const MEMORY_GRANULARITY_BYTES = 1_048_576

/** The board: machine type, name, memory, and the devices that every domain has. */
export function boardArguments({ config, machine, slots }: Definition): string[] {
  return [
    ['-machine', machine],
    ['-nodefaults', '-no-user-config', '-display', 'none'],
    ['-name', `guest=${doubleCommas(config.name)}`, '-uuid', config.id],
    ['-m', `${memoryMib(config)}M`],
    device({ driver: 'pvpanic' }),
    device({ driver: 'virtio-balloon-pci', id: BALLOON, ...placeOf(slots, BALLOON), ...polledEvery(config) }),
  ].flat()
}

/** How often the guest is asked for what it does with its memory. Source: QEMU docs/interop/virtio-balloon-stats. */
const polledEvery = ({ platform: { memoryStatsSeconds } = {} }: DomainConfig) =>
  memoryStatsSeconds === undefined ? {} : { 'guest-stats-polling-interval': memoryStatsSeconds }

function memoryMib({ memoryBytes }: DomainConfig): number {
  return Math.max(1, Math.ceil(memoryBytes / MEMORY_GRANULARITY_BYTES))
}
