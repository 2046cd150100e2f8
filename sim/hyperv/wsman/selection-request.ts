import type { Repository } from '../cim/repository.ts'
import type { Items } from './contexts.ts'
import type { EnumerationMode } from './enumerate-request.ts'
import type { InstanceWriter } from './instance-writer.ts'
import type { Namespaces } from './lookup.ts'
import type { Resource } from './resource.ts'

/** What the kinds of selection are made of. */
export interface SelectionRequest {
  readonly namespaces: Namespaces
  readonly repository: Repository
  readonly resource: Resource
  readonly writer: InstanceWriter
  readonly mode: EnumerationMode
}

/** What an Enumerate asks for, checked as far as that goes without looking at any instance. */
export interface Selection {
  /** Where it is one class. */
  readonly className: string | undefined
  /** Throws WsmanFault. */
  select(): Promise<Items>
}
