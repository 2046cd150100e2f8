import type { Host } from '../host/host.ts'
import type { Settings } from '../host/model.ts'
import { KINDS, type KindName, type ResourceKind } from '../host/resources-kinds.ts'
import { numberIn, textIn, textsIn } from '../host/settings.ts'
import { isDrive, isImage } from '../host/slots.ts'
import type { Row } from '../v2/rows.ts'
import { type AdapterOwner, connectionPaths } from './adapter-ports.ts'
import { componentType, shownKind, type Shown } from './translate-kinds.ts'
import { toV1Path } from './translate-paths.ts'

/** Settings of a resource as v1 shows them. */
export interface ShownResource {
  readonly className: string
  readonly row: Row
}

/**
 * A resource in the words of v1; undefined for what it does not show. `owner` is whose it is, for the port that an
 * adapter is at; a definition row is nobody's.
 */
export function resourceRow(host: Host, settings: Settings, owner?: AdapterOwner): ShownResource | undefined {
  const { values, className } = settings
  const otherType = componentType(settings)
  if (otherType !== undefined) {
    const words = { OtherResourceType: otherType, AllocationUnits: 'Integration Components' }
    return { className, row: { ...values, ...words } }
  }
  const shown = shownKind(settings, host.state.build)
  if (shown === undefined) return undefined
  const row = {
    ...values,
    ...identity(settings, shown),
    ...place(host, settings, shown.name),
    ...specifics(host, settings, shown.name, owner),
  }
  return { className: shown.kind.className, row }
}

function identity(settings: Settings, { name, kind }: Shown): Row {
  return {
    AllocationUnits: kind.units,
    OtherResourceType: kind.otherType,
    PoolID: kind.poolId ?? poolIdOf(name),
    ResourceSubType: kind.subType,
    ResourceType: kind.type,
    InstanceID: textIn(settings, 'InstanceID') ?? '',
  }
}

/** Source: recorded, the GUID in the case of the pool. */
export function poolIdOf(name: KindName): string {
  const { pool }: ResourceKind = KINDS[name]
  return pool === undefined ? '' : `Microsoft:${pool.id}\\Root`
}

/** Where it is: v1 says of a drive as Address what v2 says as AddressOnParent, and of an image neither. */
function place(host: Host, settings: Settings, name: KindName): Row {
  const parent = textIn(settings, 'Parent')
  return {
    Address: isDrive(name) ? textIn(settings, 'AddressOnParent') : textIn(settings, 'Address'),
    Parent: parent === undefined ? undefined : toV1Path(host, parent),
  }
}

function specifics(host: Host, settings: Settings, name: KindName, owner: AdapterOwner | undefined): Row {
  if (isImage(name)) return { Connection: textsIn(settings, 'HostResource'), HostResource: undefined }
  switch (name) {
    case 'processor':
      return processor(settings)
    case 'memory':
      return { IsVirtualized: true }
    case 'physicalDrive':
      return { HostResource: textsIn(settings, 'HostResource').map(path => toV1Path(host, path)) }
    case 'syntheticPort':
    case 'emulatedPort':
      return { Connection: owner === undefined ? [] : connectionPaths(host, owner, settings) }
    default:
      return {}
  }
}

/** A machine has one socket. Source: clients multiply the two to learn how many processors a machine may have. */
function processor(settings: Settings): Row {
  const count = numberIn(settings, 'VirtualQuantity') ?? 1
  return { IsVirtualized: true, ProcessorsPerSocket: count, SocketCount: 1 }
}
