import type { Instance } from '../cim/model.ts'
import { bodyOf, type HostFacts, openEnvelope } from './envelope.ts'
import { type ExtendedStatus, schemaFault, WsmanFault } from './fault.ts'
import { writeFragment } from './fragment.ts'
import type { InstanceWriter } from './instance-writer.ts'
import { type ClassTarget, findInstance, type Namespaces } from './lookup.ts'
import * as names from './names.ts'
import type { Envelope, RequestHeader } from './request.ts'

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

const WRITES = { Put: 'PutInstance', Create: 'PutInstance', Delete: 'DeleteInstance' } as const

/**
 * Refuses Put, Create and Delete as a provider does that has none of them: Hyper-V is changed by its methods alone.
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
