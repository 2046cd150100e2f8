import { type CimInstance, instanceOf, valuesOf } from '../../../protocols/wsman/index.ts'
import type { Hardware, Quantities } from '../back-end.ts'
import { DriverError } from '../../driver.ts'
import { MEMORY, PROCESSOR, settingsOf } from './classes.ts'
import { settle } from './jobs.ts'
import type { Link } from './link.ts'
import { MODIFY_RESOURCES } from './methods.ts'

/** What joins the settings of a machine to those of its devices. Source: Microsoft Learn, the page of the same name. */
const COMPONENT = 'Msvm_VirtualSystemSettingDataComponent'

/** The settings of everything that a machine is made of, in one enumeration. */
export async function componentsOf(link: Link, guid: string): Promise<readonly CimInstance[]> {
  return link.client.associators(settingsOf(guid), { associationClass: COMPONENT })
}

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
  }
}

/** Changes memory and processors where they are to be others, in one call; takes it back where that fails half-way. */
export async function resize(link: Link, hardware: Hardware, wanted: Quantities): Promise<void> {
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
    if (settings.length > 1)
      await takeBack(link, [memoryOf(memoryId, now, isDynamic), processorOf(processorId, now)], error)
    throw error
  }
}

async function takeBack(link: Link, settings: readonly CimInstance[], cause: unknown): Promise<void> {
  try {
    await modify(link, settings)
  } catch (error) {
    const why = error instanceof Error ? error.message : ''
    const text = cause instanceof Error ? cause.message : ''
    throw new DriverError('refused', `${text}; and memory or processors remain changed: ${why}`, { cause })
  }
}

async function modify(link: Link, settings: readonly CimInstance[]): Promise<void> {
  const answer = await link.client.call(link.service, MODIFY_RESOURCES, { ResourceSettings: settings })
  await settle(link, answer, 'change memory or processors')
}

/** Without dynamic memory, VirtualQuantity is all that counts. Source: as real hosts behave, v2. */
function memoryOf(InstanceID: string, { memoryMb }: Quantities, isDynamic: boolean): CimInstance {
  return instanceOf(MEMORY, { InstanceID, DynamicMemoryEnabled: isDynamic, VirtualQuantity: memoryMb })
}

function processorOf(InstanceID: string, { vcpus, limit, weight }: Quantities): CimInstance {
  return instanceOf(PROCESSOR, { InstanceID, VirtualQuantity: vcpus, Limit: limit, Weight: weight })
}
