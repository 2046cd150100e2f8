import { type CimInstance, defineClass, instanceOf, like, valuesOf, wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { Quantities, Resizable } from '../back-end.ts'
import { takeBack } from '../undo.ts'
import { type Link, settingsIdOf } from './link.ts'

// Memory and processors of machines, as far as they are used; the same in both namespaces.
// Source: Microsoft Learn, the pages of the same names.

export const MEMORY = defineClass('Msvm_MemorySettingData', {
  InstanceID: 'string',
  VirtualQuantity: 'uint64',
  Reservation: 'uint64',
  Limit: 'uint64',
  DynamicMemoryEnabled: 'boolean',
})

export const PROCESSOR = defineClass('Msvm_ProcessorSettingData', {
  InstanceID: 'string',
  VirtualQuantity: 'uint64',
  Limit: 'uint64',
  Weight: 'uint32',
})

/** Memory and processors among the components of a machine, as it has them from its next start. */
export function resizableAmong(guid: string, components: readonly CimInstance[]): Resizable {
  const [memory, processor] = [MEMORY, PROCESSOR].map(({ name }) => components.find(one => one.className === name))
  if (memory === undefined || processor === undefined) {
    throw new DriverError('refused', `the host tells nothing of memory or processors of the machine ${guid}`)
  }
  const { InstanceID: memoryId = '', VirtualQuantity: memoryMb = 0n, ...amounts } = valuesOf(MEMORY, memory)
  const { InstanceID: processorId = '', ...processors } = valuesOf(PROCESSOR, processor)
  const { VirtualQuantity: vcpus = 0n, Limit: limit = 0n, Weight: weight = 0 } = processors
  const { Reservation: least = 0n, Limit: most = 0n, DynamicMemoryEnabled } = amounts
  const quantities = { memoryMb: Number(memoryMb), vcpus: Number(vcpus), limit: Number(limit), weight }
  const dynamicMemory = { leastMb: Number(least), mostMb: Number(most) }
  return {
    guid,
    quantities: DynamicMemoryEnabled === true ? { ...quantities, dynamicMemory } : quantities,
    memoryId,
    processorId,
  }
}

/** Whether components are those of a machine that is there with all that it has. */
export function isWhole(components: readonly CimInstance[]): boolean {
  return [MEMORY, PROCESSOR].every(({ name }) => components.some(one => one.className === name))
}

/** Components of many machines by the GUIDs that their InstanceIDs begin with; definition rows are left out. */
export function byMachine(components: readonly CimInstance[]): ReadonlyMap<string, readonly CimInstance[]> {
  const machines = new Map<string, CimInstance[]>()
  for (const component of components) {
    const guid = /^Microsoft:([0-9a-f-]{36})\\/i.exec(component.string('InstanceID') ?? '')?.[1]?.toUpperCase()
    if (guid === undefined) continue
    const own = machines.get(guid) ?? []
    machines.set(guid, own)
    own.push(component)
  }
  return machines
}

/** What a machine has of memory from its next start, in megabytes. */
export async function memoryMbOf({ client }: Link, guid: string): Promise<number> {
  const within = like`${settingsIdOf(guid)}%`
  const [row] = await client.query(
    wql`SELECT VirtualQuantity FROM Msvm_MemorySettingData WHERE InstanceID LIKE ${within}`,
  )
  const amount = row?.number('VirtualQuantity')
  if (amount === undefined)
    throw new DriverError('refused', `the host tells nothing of the memory of the machine ${guid}`)
  return amount
}

/** How a namespace changes what differs. */
export interface ResizeWords {
  /** Memory of this amount: dynamic where a range is given, else static. */
  readonly memoryOf: (id: string, amount: Pick<Quantities, 'memoryMb' | 'dynamicMemory'>) => CimInstance
  readonly modify: (settings: readonly CimInstance[]) => Promise<void>
}

/** Changes memory and processors where they are to be others, in one call; takes it back where that fails half-way. */
export async function resizeBy(words: ResizeWords, hardware: Resizable, wanted: Quantities): Promise<void> {
  const { quantities: now, memoryId, processorId } = hardware
  const isMemory = now.memoryMb !== wanted.memoryMb || !isSameRange(now.dynamicMemory, wanted.dynamicMemory)
  const isProcessor = now.vcpus !== wanted.vcpus || now.limit !== wanted.limit || now.weight !== wanted.weight
  if (!isMemory && !isProcessor) return
  const settings = [
    ...(isMemory ? [words.memoryOf(memoryId, wanted)] : []),
    ...(isProcessor ? [processorOf(processorId, wanted)] : []),
  ]
  try {
    await words.modify(settings)
  } catch (error) {
    const before = () => [words.memoryOf(memoryId, now), processorOf(processorId, now)]
    if (settings.length > 1) {
      await takeBack(() => words.modify(before()), error, 'memory or processors remain changed')
    }
    throw error
  }
}

type Range = Quantities['dynamicMemory']

const isSameRange = (one: Range, other: Range): boolean =>
  one?.leastMb === other?.leastMb && one?.mostMb === other?.mostMb

function processorOf(InstanceID: string, { vcpus, limit, weight }: Quantities): CimInstance {
  return instanceOf(PROCESSOR, { InstanceID, VirtualQuantity: vcpus, Limit: limit, Weight: weight })
}
