import { type Embedded, EmbeddedError, parseEmbedded } from '../cim/embedded.ts'
import type { CimValue, Schema } from '../cim/model.ts'
import { parsePath } from '../cim/path.ts'
import type { MethodCall, ObjectName } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Vm } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import { vmNamed } from './system-settings.ts'

// What methods are given, read: embedded instances and references. What cannot be read is refused in the answer itself.

/** The text of a parameter; undefined where it was left out. */
export function textGiven(input: MethodCall['input'], parameter: string): string | undefined {
  const value = input.get(parameter)
  return typeof value === 'string' ? value : undefined
}

/** The texts of an array parameter; none where it was left out. */
export function textsGiven(input: MethodCall['input'], parameter: string): string[] {
  const value: CimValue | undefined = input.get(parameter)
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

/** An embedded instance of `className` or a class that derives from it. Throws an immediate OperationError. */
export function instanceGiven(host: Host, schema: Schema, text: string | undefined, className: string): Embedded {
  if (text === undefined) throw refused(`No instance of ${className} was given.`)
  try {
    const embedded = parseEmbedded(schema, text, { isStrict: host.isStrict })
    if (schema.isA(embedded.class.name, className)) return embedded
  } catch (error) {
    if (error instanceof EmbeddedError) throw new OperationError(error.code, error.message, { isImmediate: true })
    throw error
  }
  throw refused(`An instance of another class than ${className} was given.`)
}

/** What a reference names. Throws an immediate OperationError. */
export function nameGiven(path: string | undefined): ObjectName {
  const name = path === undefined ? undefined : parsePath(path)
  if (name === undefined) throw refused('No reference was given.')
  return name
}

/** The machine that a reference leads to: to its system or its settings. Throws an immediate OperationError. */
export function vmGiven(host: Host, schema: Schema, path: string | undefined): Vm {
  const vm = vmNamed(host, schema, nameGiven(path))
  if (vm === undefined) throw refused('There is no such virtual machine.')
  return vm
}

function refused(message: string): OperationError {
  return new OperationError(Return.invalidParameter, message, { isImmediate: true })
}
