import type { ValueOf } from '../../../wire/xdr/types.ts'
import type { Event, Procedure } from '../procedure.ts'
import { connections } from './connections.ts'
import { domainDevices } from './domain-devices.ts'
import { domainResources } from './domain-resources.ts'
import { domains } from './domains.ts'
import { events as eventTable } from './events.ts'
import { networks } from './networks.ts'
import { nodes } from './nodes.ts'
import { registrations } from './registrations.ts'
import { snapshots } from './snapshots.ts'
import { storage } from './storage.ts'

/** The number of libvirt's program, and its version. Source: libvirt, src/remote/remote_protocol.x. */
export const REMOTE_PROGRAM = 0x20008086
/** The one version there is. */
export const REMOTE_VERSION = 1

const table = {
  ...connections,
  ...nodes,
  ...registrations,
  ...domains,
  ...domainResources,
  ...domainDevices,
  ...snapshots,
  ...networks,
  ...storage,
}

/** The name of a procedure, as in libvirt's REMOTE_PROC_ without that prefix. */
export type ProcedureName = keyof typeof table
/** The arguments of a procedure, by name. */
export type ArgsOf<N extends ProcedureName> = ValueOf<(typeof table)[N]['args']>
/** What a procedure answers. */
export type ResultOf<N extends ProcedureName> = ValueOf<(typeof table)[N]['result']>

/** The procedures that open a stream. */
export type StreamName =
  | 'DOMAIN_OPEN_CONSOLE'
  | 'DOMAIN_OPEN_CHANNEL'
  | 'DOMAIN_SCREENSHOT'
  | 'STORAGE_VOL_UPLOAD'
  | 'STORAGE_VOL_DOWNLOAD'

/** Every procedure that is spoken. */
export const procedures: { readonly [N in ProcedureName]: Procedure<ArgsOf<N>, ResultOf<N>> } = table

/** The name of an event, as in libvirt's REMOTE_PROC_ without that prefix. */
export type EventName = keyof typeof eventTable
/** What an event tells. */
export type EventOf<N extends EventName> = ValueOf<(typeof eventTable)[N]['body']>

/** Every event that is spoken. */
export const events: { readonly [N in EventName]: Event<EventOf<N>> } = eventTable

const procedureNames = new Map(names(procedures).map(name => [procedures[name].number, name]))
const eventNames = new Map(names(events).map(name => [events[name].number, name]))

/** The procedure of a number. */
export const procedureNamed = (number: number): ProcedureName | undefined => procedureNames.get(number)

/** The event of a number. */
export const eventNamed = (number: number): EventName | undefined => eventNames.get(number)

function names<N extends string>(of: Readonly<Record<N, unknown>>): N[] {
  const isName = (key: string): key is N => Object.hasOwn(of, key)
  return Object.keys(of).filter(isName)
}
