import type { CimValue } from '../cim/model.ts'
import type { Host } from './host.ts'
import type { Settings } from './model.ts'
import { OperationError, Return } from './operation-error.ts'
import { withBootSources } from './resources-boot.ts'
import type { Owner } from './resources-owner.ts'
import { KINDS, type KindName } from './resources-kinds.ts'
import { type Doing, type Reason, troubleText } from './resources-texts.ts'
import { nameOfVm } from './settings.ts'

/** What a caller gives of settings: the class and the values that are there, by the schema's spelling. */
export interface Given {
  readonly className: string
  readonly values: ReadonlyMap<string, CimValue>
}

/** What storage tells of the images that machines are given. */
export interface ImageFiles {
  /** Whether there is a file at this Windows path. */
  exists(path: string): boolean
  /** Whether the host itself has it open: mounted, or in the work of a job. Absent: it has none. */
  isHeld?(path: string): boolean
}

/** What operations on resources go by. */
export interface ResourceContext {
  readonly host: Host
  readonly files: ImageFiles
  /** Whether a class of settings has a property. */
  knows(className: string, property: string): boolean
}

/** A configuration that is being changed: it becomes the machine's when all went well. */
export interface Draft {
  readonly owner: Owner
  resources: Settings[]
}

/** A change of a machine's configuration that is made whole or not at all. */
export function changing<T>(host: Host, owner: Owner, change: (draft: Draft) => T): T {
  // Settings are never changed in place, so that a draft given up leaves nothing behind.
  const draft: Draft = { owner, resources: [...owner.configuration.resources] }
  const result = change(draft)
  owner.configuration.resources = draft.resources
  owner.configuration.system = withBootSources(host, owner.configuration)
  owner.vm.configuredAt = host.clock.now()
  host.touch()
  return result
}

/** An operation that is refused, in the host's own language. */
export function refusal(
  host: Host,
  { vm }: Pick<Owner, 'vm'>,
  what: {
    readonly doing: Doing
    readonly kind?: KindName
    readonly reason: Reason
    readonly code?: number | undefined
  },
): OperationError {
  const { doing, kind, reason } = what
  const device = kind === undefined ? '' : (KINDS[kind].subType || KINDS[kind].name).replace('Microsoft:Hyper-V:', '')
  const text = troubleText(host.locale, { doing, name: nameOfVm(vm), id: vm.id, device, reason })
  return new OperationError(what.code ?? Return.invalidParameter, text)
}

/** Replaces settings of a draft by others. */
export function replaceIn(draft: Draft, before: Settings, after: Settings): void {
  draft.resources = draft.resources.map(one => (one === before ? after : one))
}
