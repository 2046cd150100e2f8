import type { CimClass, Instance } from '../cim/model.ts'
import { nameOf } from '../cim/path.ts'
import type { Items } from './contexts.ts'
import type { EnumerationMode } from './enumerate-request.ts'
import type { InstanceWriter } from './instance-writer.ts'
import { writeEndpointReference } from './reference.ts'

/**
 * Instances to be pulled as objects, as references, or as both. `write` writes the object; it is told apart by class
 * where there is nothing else to say.
 */
export function instanceItems(
  instances: readonly Instance[],
  writer: InstanceWriter,
  mode: EnumerationMode,
  write: (instance: Instance) => string,
): Items {
  const { namespace } = writer
  const reference = (instance: Instance) => writeEndpointReference(nameOf(instance), namespace)
  return {
    length: instances.length,
    write(index) {
      const instance = instances[index]
      if (instance === undefined) return ''
      if (mode === 'object') return write(instance)
      if (mode === 'reference') return reference(instance)
      return `<w:Item>${write(instance)}${reference(instance)}</w:Item>`
    },
  }
}

/** Writes an instance whole, or as much of it as `as` has. */
export function wholeInstance(writer: InstanceWriter, as?: CimClass): (instance: Instance) => string {
  return instance => writer.write(instance, as ?? instance.class)
}
