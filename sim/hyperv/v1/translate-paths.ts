import { parsePath, printPath } from '../cim/path.ts'
import type { ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import { pathIn } from '../v2/rows.ts'

/** The namespace of everything in this folder. */
export const V1 = 'root\\virtualization'
const V2 = 'root\\virtualization\\v2'

/** The full path of an instance of this namespace, as Windows prints it. */
export const pathInV1 = (host: Host, name: ObjectName): string => pathIn(host, name, V1)

/** What is of another class here. */
const CLASSES: Readonly<Record<string, string>> = {
  Msvm_SerialPortSettingData: 'Msvm_ResourceAllocationSettingData',
  Msvm_StorageAllocationSettingData: 'Msvm_ResourceAllocationSettingData',
}

/** A path that a configuration holds, as v1 shows it: of this namespace, and of the class that it has here. */
export function toV1Path(host: Host, text: string): string {
  const path = parsePath(text)
  if (path === undefined) return text
  return printPath({
    ...path,
    host: host.state.name,
    namespace: V1,
    className: CLASSES[path.className] ?? path.className,
  })
}

/**
 * A path that a caller gives, as configurations hold it. What is no path stays as it is, for the operation to refuse:
 * single backslashes in a key among it.
 */
export function toV2Path(host: Host, text: string): string {
  const path = parsePath(text, { isStrict: true })
  return path === undefined ? text : printPath({ ...path, host: host.state.name, namespace: V2 })
}
