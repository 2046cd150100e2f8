import type { Embedded } from '../cim/embedded.ts'
import type { CimValue, Schema } from '../cim/model.ts'
import type { MethodCall, MethodResult } from '../cim/provider.ts'
import type { Host } from '../host/host.ts'
import type { Settings } from '../host/model.ts'
import { OperationError, Return } from '../host/operation-error.ts'
import type { Given, ResourceContext } from '../host/resources-context.ts'
import { imageFilesOf } from '../host/resources-files.ts'
import { reasonText } from '../host/resources-texts.ts'
import { instanceGiven, nameGiven, textsGiven } from './given.ts'
import { nameOfResource } from './resources.ts'
import { keyOf, pathIn } from './rows.ts'

/** What operations on resources go by, in this namespace. */
export function contextOf(host: Host, schema: Schema): ResourceContext {
  return {
    host,
    files: imageFilesOf(host),
    knows: (className, property) => schema.find(className)?.property(property) !== undefined,
  }
}

/** What is given of settings, out of an embedded instance. */
export const givenOf = ({ class: cls, values }: Embedded): Given => ({ className: cls.name, values })

/** The embedded instances of an array parameter; it must have some. Throws an immediate OperationError. */
export function instancesGiven(
  host: Host,
  schema: Schema,
  input: MethodCall['input'],
  parameter: string,
  className: string,
): Given[] {
  const texts = textsGiven(input, parameter)
  if (texts.length === 0) throw nothingGiven(host)
  return texts.map(text => givenOf(instanceGiven(host, schema, text, className)))
}

/** The InstanceIDs in the references of an array parameter; it must have some. Throws an immediate OperationError. */
export function idsGiven(host: Host, input: MethodCall['input'], parameter: string): string[] {
  const paths = textsGiven(input, parameter)
  if (paths.length === 0) throw nothingGiven(host)
  return paths.map(path => keyOf(nameGiven(path), 'InstanceID') ?? '')
}

function nothingGiven({ locale }: Host): OperationError {
  return new OperationError(Return.invalidParameter, reasonText(locale, 'invalid'), { isImmediate: true })
}

/** The paths of settings, for an out parameter of references. */
export const pathsOf = (host: Host, made: readonly Settings[]): CimValue =>
  made.map(settings => pathIn(host, nameOfResource(settings)))

/** Reads what a method is given, and answers at once where that cannot be read; otherwise goes on with it. */
export async function reading<T>(read: () => T, goOn: (given: T) => MethodResult | Promise<MethodResult>) {
  let given: T
  try {
    given = read()
  } catch (error) {
    if (error instanceof OperationError) return { returnValue: error.code }
    throw error
  }
  return await goOn(given)
}
