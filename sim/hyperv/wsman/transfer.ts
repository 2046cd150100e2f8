import type { XmlElement } from '../../../src/wire/xml/tree.ts'
import type { Instance } from '../cim/model.ts'
import { bodyOf, type HostFacts, openEnvelope } from './envelope.ts'
import { askWmi, type ExtendedStatus, schemaFault, WsmanFault } from './fault.ts'
import { writeFragment } from './fragment.ts'
import type { InstanceWriter } from './instance-writer.ts'
import { type ClassTarget, findInstance, type Namespaces, resolveReference } from './lookup.ts'
import * as names from './names.ts'
import { readProperties } from './parameters.ts'
import type { Envelope, RequestHeader } from './request.ts'
import { classUri, isSameUri } from './resource.ts'

/** What a transfer needs to know of its request. */
export interface TransferRequest {
  readonly target: ClassTarget
  readonly header: RequestHeader
  readonly messageId: string | undefined
}

/** Answers Get: the instance, or the part of it that was asked for. Throws WsmanFault. */
export function get(host: HostFacts, namespaces: Namespaces, writer: InstanceWriter, request: TransferRequest): string {
  const instance = findInstance(namespaces, request.target)
  const { fragment } = request.header
  const action = `${names.TRANSFER}/GetResponse`
  if (fragment === undefined) {
    return openEnvelope(host, 'transfer', { action, relatesTo: request.messageId }) + bodyOf(writer.write(instance))
  }
  const { content, header } = writeFragment(writer, instance, fragment)
  return openEnvelope(host, 'transfer', { action, relatesTo: request.messageId, more: header }) + bodyOf(content)
}

export function requireEmptyBody({ body }: Envelope): void {
  if (body.length > 0) throw schemaFault('Body', 'not empty', '空ではありません')
}

/**
 * Answers Put: writes what is given of an instance of a class that lets itself be written, and tells what it is then.
 * Throws WsmanFault. Source: DSP0226, §7.4; what is left out stays as it was.
 */
export async function put(
  host: HostFacts,
  namespaces: Namespaces,
  writer: InstanceWriter,
  { target, header, messageId }: TransferRequest,
  { body }: Envelope,
): Promise<string> {
  const instance = findInstance(namespaces, target)
  const provider = target.repository.providersOf(instance.class).find(one => one.put !== undefined)
  if (provider?.put === undefined) return refuseWrite(namespaces, 'Put', target)
  // No part of an instance is written by XPath.
  if (header.fragment !== undefined) throw new WsmanFault('fragment-dialect')
  const { namespace } = target.resource
  const written = writtenIn(body, instance, namespace)
  const values = readProperties(written, instance.class, to => resolveReference(namespaces, to, namespace))
  const extended: ExtendedStatus = { operation: WRITES.Put, parameters: instance.class.name, namespace }
  await askWmi(extended, () => provider.put?.(instance, values))
  const now = writer.write(findInstance(namespaces, target))
  return openEnvelope(host, 'transfer', { action: `${names.TRANSFER}/PutResponse`, relatesTo: messageId }) + bodyOf(now)
}

function writtenIn([written, ...others]: readonly XmlElement[], { class: cls }: Instance, namespace: string) {
  const isWritten = written?.name === cls.name && isSameUri(written.namespace, classUri(namespace, cls.name))
  if (written !== undefined && isWritten && others.length === 0) return written
  throw schemaFault(written?.name ?? 'Body', `not ${cls.name}`, `${cls.name} ではありません`)
}

const WRITES = { Put: 'PutInstance', Create: 'PutInstance', Delete: 'DeleteInstance' } as const

/**
 * Refuses Put, Create and Delete as a provider does that has none of them: Hyper-V is changed by its methods, but for
 * few of its classes.
 * Throws in every case. What is not there cannot be refused so.
 */
export function refuseWrite(namespaces: Namespaces, operation: keyof typeof WRITES, target: ClassTarget): never {
  const instance: Instance | undefined = operation === 'Create' ? undefined : findInstance(namespaces, target)
  const extended: ExtendedStatus = {
    operation: WRITES[operation],
    parameters: instance?.class.name ?? target.class.name,
    namespace: target.resource.namespace,
  }
  throw new WsmanFault('not-capable', { extended })
}
