import assert from 'node:assert/strict'
import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import type { CimMethod, CimValue, Instance } from '../cim/model.ts'
import { type Method, type MethodResult, Wbem, WmiError } from '../cim/provider.ts'
import { isOfType } from '../cim/value.ts'
import { bodyOf, type HostFacts, openEnvelope } from './envelope.ts'
import { askWmi, type ExtendedStatus, faultOfWmi, refuse, schemaFault } from './fault.ts'
import type { InstanceWriter } from './instance-writer.ts'
import { type ClassTarget, findInstance, type Namespaces, resolveReference } from './lookup.ts'
import * as names from './names.ts'
import { readArguments } from './parameters.ts'
import { classUri, isSameUri } from './resource.ts'

/** A call that was checked against the schema. */
export interface Call {
  readonly target: ClassTarget
  readonly method: CimMethod
  readonly input: ReadonlyMap<string, CimValue>
}

/** What an answer to a call is written with. */
export interface CallSurroundings {
  readonly host: HostFacts
  readonly namespaces: Namespaces
  readonly writer: InstanceWriter
}

/**
 * Reads a call: the method out of the action, its arguments out of the body. Throws WsmanFault for a method that the
 * class does not have, and for whatever does not fit the schema.
 */
export function readCall(
  namespaces: Namespaces,
  target: ClassTarget,
  methodName: string,
  body: readonly XmlElement[],
): Call {
  const method = target.class.method(methodName)
  if (method === undefined) {
    const { name } = target.class
    const en = `${name} has no method of this name.`
    throw refuse('action-not-supported', en, `${name} にこの名前のメソッドはありません。`)
  }
  const [input, ...others] = body
  if (input === undefined) {
    if (method.parameters.some(({ isIn }) => isIn)) throw schemaFault(`${method.name}_INPUT`, 'missing', 'ありません')
    return { target, method, input: new Map() }
  }
  const isNamed = input.name.toLowerCase() === `${method.name}_INPUT`.toLowerCase()
  // Source: DSP0227, §5.1: a class goes by DMTF's URI as well.
  const uris = [classUri(target.resource.namespace, target.class.name), `${names.DMTF_URI}${target.class.name}`]
  const isInput = isNamed && uris.some(uri => isSameUri(input.namespace, uri))
  if (!isInput || others.length > 0)
    throw schemaFault(input.name, 'not the input of the method', '入力が正しくありません')
  const resolve = (reference: Parameters<typeof resolveReference>[1]) =>
    resolveReference(namespaces, reference, target.resource.namespace)
  return { target, method, input: readArguments(input, method, resolve) }
}

/** Carries a call out and writes its answer. Throws WsmanFault. */
export async function invoke(
  { host, namespaces, writer }: CallSurroundings,
  { target, method, input }: Call,
  caller: { readonly user: string },
  messageId: string | undefined,
): Promise<string> {
  const { namespace } = target.resource
  const extended: ExtendedStatus = { operation: 'ExecMethod', parameters: target.class.name, namespace }
  const self = findSelf(namespaces, target, extended)
  const result = await askWmi(extended, () => findMethod(target, self, method)({ self, input, caller }))
  const uri = classUri(namespace, target.class.name)
  const action = `${uri}/${method.name}Response`
  return (
    openEnvelope(host, 'transfer', { action, relatesTo: messageId }) +
    bodyOf(
      `<p:${method.name}_OUTPUT xmlns:xsi="${names.SCHEMA_INSTANCE}" xmlns:p="${uri}" xmlns:cim="${names.CIM}">${writeOutput(
        writer,
        method,
        result,
      )}<p:ReturnValue>${result.returnValue}</p:ReturnValue></p:${method.name}_OUTPUT>`,
    )
  )
}

/**
 * What a method is called on. A service that is called without a word of which one fails on its own terms.
 * Source: both faults were met on real hosts.
 */
function findSelf(namespaces: Namespaces, target: ClassTarget, extended: ExtendedStatus): Instance {
  const { class: cls, resource, repository } = target
  const isUnnamed = resource.keys.length === 0 && !cls.isSingleton
  if (!isUnnamed || !repository.schema.isA(cls.name, 'CIM_Service')) return findInstance(namespaces, target)
  const isOfMachines = cls.name === 'Msvm_VirtualSystemManagementService'
  const code = isOfMachines ? Wbem.invalidMethodParameters : Wbem.failed
  throw faultOfWmi(new WmiError(code, isOfMachines ? 'Invalid method Parameter(s)' : 'Generic failure'), extended)
}

function findMethod({ repository }: ClassTarget, self: Instance, { name }: CimMethod): Method {
  const method = repository.method(self, name)
  if (method !== undefined) return method
  throw new WmiError(Wbem.methodNotImplemented, 'This method is not implemented in any class')
}

/** Out parameters in the order of the schema. Source: answers of real hosts, recorded. */
function writeOutput(writer: InstanceWriter, method: CimMethod, { output = {} }: MethodResult): string {
  const parameters = method.parameters.filter(({ isOut }) => isOut)
  const unknown = Object.keys(output).find(name => !parameters.some(parameter => parameter.name === name))
  assert(unknown === undefined, `${method.name} has no out parameter ${unknown}`)
  let written = ''
  for (const parameter of parameters) {
    const value = output[parameter.name] ?? null
    assert(isOfType(value, parameter), `${method.name}.${parameter.name} is not of type ${parameter.type}`)
    written += writer.writeValue(parameter, value, 'p', 'instance')
  }
  return written
}
