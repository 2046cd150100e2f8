import { type CimInstance, instanceOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import type { Hardware, Quantities, Resizable } from '../back-end.ts'
import { hasIde } from '../places.ts'
import { componentsOf } from '../wmi/components.ts'
import { byMachine, isWhole, MEMORY, resizableAmong, resizeBy } from '../wmi/hardware.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { storageAmong } from '../wmi/storage.ts'
import { adaptersIn } from './adapters.ts'
import { everyPart, everyTag } from './every-part.ts'
import { DRIVE_WORDS } from './drives.ts'
import { MODIFY_RESOURCES } from './methods.ts'

/** What the machine is made of, as it has it from its next start. */
export async function readHardware(link: Link, guid: string): Promise<Hardware> {
  const components = await componentsOf(link, guid)
  const storage = storageAmong(DRIVE_WORDS, components)
  return {
    ...resizableAmong(guid, components),
    hasBios: hasIde(storage),
    storage,
    adapters: adaptersIn(components),
  }
}

/** As `readHardware`, of every machine, in one enumeration for each class. */
export async function readAllHardware(link: Link): Promise<ReadonlyMap<string, Hardware>> {
  const [parts, tags] = await Promise.all([everyPart(link), everyTag(link)])
  const tagsOf = byMachine(tags)
  return new Map(
    [...byMachine(parts)].flatMap(([guid, components]): [string, Hardware][] => {
      // Not a machine, or one that was just deleted.
      if (!isWhole(components)) return []
      const storage = storageAmong(DRIVE_WORDS, components)
      const adapters = adaptersIn(components, tagsOf.get(guid) ?? [])
      return [[guid, { ...resizableAmong(guid, components), hasBios: hasIde(storage), storage, adapters }]]
    }),
  )
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
function memoryOf(
  InstanceID: string,
  { memoryMb, dynamicMemory }: Pick<Quantities, 'memoryMb' | 'dynamicMemory'>,
): CimInstance {
  return instanceOf(MEMORY, {
    InstanceID,
    DynamicMemoryEnabled: dynamicMemory !== undefined,
    VirtualQuantity: memoryMb,
  })
}
