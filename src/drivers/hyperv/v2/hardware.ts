import { type CimInstance, instanceOf, valuesOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import type { Hardware, Quantities, Resizable } from '../back-end.ts'
import { DriverError } from '../../driver.ts'
import { takeBack } from '../undo.ts'
import { adaptersAmong } from './adapters.ts'
import { componentsOf } from './components.ts'
import { MEMORY, PROCESSOR } from './classes.ts'
import { settle } from './jobs.ts'
import type { Link } from './link.ts'
import { MODIFY_RESOURCES } from './methods.ts'

/** ResourceSubType of what only machines of the first generation have. Source: as real hosts have it, v2. */
const IDE_CONTROLLER = 'Microsoft:Hyper-V:Emulated IDE Controller'

/** Memory and processors, as the machine has them from its next start. */
export async function readHardware(link: Link, guid: string): Promise<Hardware> {
  const components = await componentsOf(link, guid)
  const [memory, processor] = [MEMORY, PROCESSOR].map(({ name }) => components.find(one => one.className === name))
  if (memory === undefined || processor === undefined) {
    throw new DriverError('refused', `the host tells nothing of memory or processors of the machine ${guid}`)
  }
  const { InstanceID: memoryId = '', VirtualQuantity: memoryMb = 0n, DynamicMemoryEnabled } = valuesOf(MEMORY, memory)
  const { InstanceID: processorId = '', ...processors } = valuesOf(PROCESSOR, processor)
  const { VirtualQuantity: vcpus = 0n, Limit: limit = 0n, Weight: weight = 0 } = processors
  return {
    quantities: { memoryMb: Number(memoryMb), vcpus: Number(vcpus), limit: Number(limit), weight },
    memoryId,
    processorId,
    isDynamic: DynamicMemoryEnabled === true,
    hasBios: components.some(one => one.string('ResourceSubType') === IDE_CONTROLLER),
    adapters: await adaptersAmong(link, guid, components),
  }
}

/** Changes memory and processors where they are to be others, in one call; takes it back where that fails half-way. */
export async function resize(link: Link, hardware: Resizable, wanted: Quantities): Promise<void> {
  const { quantities: now } = hardware
  const isMemory = now.memoryMb !== wanted.memoryMb || hardware.isDynamic
  const isProcessor = now.vcpus !== wanted.vcpus || now.limit !== wanted.limit || now.weight !== wanted.weight
  if (!isMemory && !isProcessor) return
  const settings = [
    ...(isMemory ? [memoryOf(hardware.memoryId, wanted, false)] : []),
    ...(isProcessor ? [processorOf(hardware.processorId, wanted)] : []),
  ]
  try {
    await modify(link, settings)
  } catch (error) {
    const { memoryId, processorId, isDynamic } = hardware
    const undo = () => modify(link, [memoryOf(memoryId, now, isDynamic), processorOf(processorId, now)])
    if (settings.length > 1) await takeBack(undo, error, 'memory or processors remain changed')
    throw error
  }
}

async function modify(link: Link, settings: readonly CimInstance[]): Promise<void> {
  const input = { ResourceSettings: settings }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_RESOURCES, input))
  await settle(link, answer, 'change memory or processors')
}

/** Without dynamic memory, VirtualQuantity is all that counts. Source: as real hosts behave, v2. */
function memoryOf(InstanceID: string, { memoryMb }: Quantities, isDynamic: boolean): CimInstance {
  return instanceOf(MEMORY, { InstanceID, DynamicMemoryEnabled: isDynamic, VirtualQuantity: memoryMb })
}

function processorOf(InstanceID: string, { vcpus, limit, weight }: Quantities): CimInstance {
  return instanceOf(PROCESSOR, { InstanceID, VirtualQuantity: vcpus, Limit: limit, Weight: weight })
}
