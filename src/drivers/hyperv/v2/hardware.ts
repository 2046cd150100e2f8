import { type CimInstance, instanceOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import type { Hardware, Quantities, Resizable } from '../back-end.ts'
import { componentsOf } from '../wmi/components.ts'
import { MEMORY, resizableAmong, resizeBy } from '../wmi/hardware.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { adaptersAmong } from './adapters.ts'
import { MODIFY_RESOURCES } from './methods.ts'

/** ResourceSubType of what only machines of the first generation have. Source: as real hosts have it, v2. */
const IDE_CONTROLLER = 'Microsoft:Hyper-V:Emulated IDE Controller'

/** What the machine is made of, as it has it from its next start. */
export async function readHardware(link: Link, guid: string): Promise<Hardware> {
  const components = await componentsOf(link, guid)
  return {
    ...resizableAmong(guid, components),
    hasBios: components.some(one => one.string('ResourceSubType') === IDE_CONTROLLER),
    adapters: await adaptersAmong(link, guid, components),
  }
}

/** Changes memory and processors where they are to be others. */
export async function resize(link: Link, hardware: Resizable, wanted: Quantities): Promise<void> {
  await resizeBy({ memoryOf, modify: settings => modify(link, settings) }, hardware, wanted)
}

async function modify(link: Link, settings: readonly CimInstance[]): Promise<void> {
  const input = { ResourceSettings: settings }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_RESOURCES, input))
  await settle(link, answer, 'change memory or processors')
}

/** VirtualQuantity is all that counts without dynamic memory; with it, the rest stays. Source: as real hosts behave, v2. */
function memoryOf(InstanceID: string, memoryMb: number, dynamic: Resizable['dynamicMemory']): CimInstance {
  return instanceOf(MEMORY, { InstanceID, DynamicMemoryEnabled: dynamic !== undefined, VirtualQuantity: memoryMb })
}
