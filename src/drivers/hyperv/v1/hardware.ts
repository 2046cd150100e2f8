import { type CimInstance, instanceOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import type { Hardware, Quantities, Resizable } from '../back-end.ts'
import { componentsOf } from '../wmi/components.ts'
import { MEMORY, resizableAmong, resizeBy } from '../wmi/hardware.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { systemOf } from './classes.ts'
import { MODIFY_RESOURCES } from './methods.ts'

/** What the machine is made of, as it has it from its next start. */
export async function readHardware(link: Link, guid: string): Promise<Hardware> {
  const components = await componentsOf(link, guid)
  // There is one generation.
  return { ...resizableAmong(guid, components), hasBios: true, adapters: [] }
}

/** Changes memory and processors where they are to be others. */
export async function resize(link: Link, hardware: Resizable, wanted: Quantities): Promise<void> {
  await resizeBy({ memoryOf, modify: settings => modify(link, hardware.guid, settings) }, hardware, wanted)
}

async function modify(link: Link, guid: string, ResourceSettingData: readonly CimInstance[]): Promise<void> {
  const input = { ComputerSystem: systemOf(guid), ResourceSettingData }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_RESOURCES, input))
  await settle(link, answer, 'change memory or processors')
}

/**
 * Static memory is all reserved for its machine, and nothing more.
 * Source: Microsoft Learn, "Msvm_MemorySettingData" (v1); clients of real hosts give all three.
 */
function memoryOf(InstanceID: string, memoryMb: number, dynamic: Resizable['dynamicMemory']): CimInstance {
  const { leastMb, mostMb } = dynamic ?? { leastMb: memoryMb, mostMb: memoryMb }
  return instanceOf(MEMORY, {
    InstanceID,
    DynamicMemoryEnabled: dynamic !== undefined,
    VirtualQuantity: memoryMb,
    Reservation: leastMb,
    Limit: mostMb,
  })
}
