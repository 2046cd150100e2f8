import type { CimValue } from '../cim/model.ts'
import { addFeatures, allocationIdOf, removeFeatures } from '../host/features.ts'
import { FEATURES } from '../host/features-table.ts'
import type { Host } from '../host/host.ts'
import type { Settings } from '../host/model.ts'
import type { ResourceContext } from '../host/resources-context.ts'
import { connectionId, sameId } from '../host/resources-ids.ts'
import { findOwned } from '../host/resources-owner.ts'
import { idOf } from '../host/resources-settings.ts'
import { numberIn } from '../host/settings.ts'
import { type PortView, portAllocationId } from '../host/switches.ts'

// The tags of ports. In v2, and in configurations, a tag is a feature of the connection of an adapter, or of the switch's
// own port; here each port has one, whatever is connected to it.

const { className } = FEATURES.vlan
/** OperationMode of the feature. Source: its ValueMap. */
const ACCESS = 1
/** The largest tag. Source: IEEE 802.1Q. */
export const TAG_MAX = 4094

/** What v2 says of the VLANs of a port; undefined where that is nothing. */
export function vlanFeatureOf(host: Host, { one, port, connection }: PortView): Settings | undefined {
  return featureAt(host, connection?.id ?? portAllocationId(one, port))
}

function featureAt(host: Host, allocation: string): Settings | undefined {
  const own = findOwned(host, allocation)?.owner.configuration.resources
  const features = own ?? host.state.switches.flatMap(one => one.features ?? [])
  return features.find(each => each.className === className && sameId(allocationIdOf(idOf(each)), allocation))
}

/** The tag of a port in access mode; 0 for none. */
export function tagOf(host: Host, view: PortView): number {
  const feature = vlanFeatureOf(host, view)
  return numberIn(feature, 'OperationMode') === ACCESS ? (numberIn(feature, 'AccessVlanId') ?? 0) : 0
}

/** Gives a port a tag, or with 0 none: the port itself, which keeps it, and what is connected to it. */
export function tagPort(context: ResourceContext, { one, port, connection }: PortView, tag: number): void {
  if (one.ports.includes(port)) tagAllocation(context, portAllocationId(one, port), tag)
  if (connection !== undefined) tagAllocation(context, connection.id, tag)
}

/** Gives the connection of an adapter the tag of the port that it is put at. */
export function carryTag(context: ResourceContext, view: PortView, adapterId: string): void {
  tagAllocation(context, connectionId(adapterId), tagOf(context.host, view))
}

function tagAllocation(context: ResourceContext, allocation: string, tag: number): void {
  const before = featureAt(context.host, allocation)
  if (before !== undefined) removeFeatures(context, [idOf(before)], false)
  if (tag === 0) return
  const values = new Map<string, CimValue>([
    ['OperationMode', ACCESS],
    ['AccessVlanId', tag],
  ])
  addFeatures(context, allocation, [{ className, values }])
}
