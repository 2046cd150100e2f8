import type { BackEnd } from '../back-end.ts'
import type { NetworkBackEnd } from '../network-back-end.ts'
import { adaptersOf, addAdapter, plug, removeAdapter, tag, unplug } from './adapters.ts'
import { allCables, allCards, allSwitches, bindSwitch, changeSwitch, destroySwitch, makeSwitch } from './switches.ts'
import { shutDownGuest } from './guests.ts'
import { readHardware, resize } from './hardware.ts'
import type { Link } from './link.ts'
import { allGlances, machineLister, oneMachine } from './machines.ts'
import { change, create, destroy, request } from './systems.ts'

export type { Link } from './link.ts'
export { V2 } from './names.ts'

/** A host through root\virtualization\v2. */
export function backEndV2(link: Link): BackEnd & NetworkBackEnd {
  return {
    machines: machineLister(link),
    machine: guid => oneMachine(link, guid),
    glances: signal => allGlances(link, signal),
    hardware: guid => readHardware(link, guid),
    create: (name, notes) => create(link, name, notes),
    destroy: guid => destroy(link, guid),
    change: (guid, wanted) => change(link, guid, wanted),
    resize: (hardware, wanted) => resize(link, hardware, wanted),
    request: (guid, what, options) => request(link, guid, what, options),
    shutDownGuest: guid => shutDownGuest(link, guid),
    switches: () => allSwitches(link),
    cards: () => allCards(link),
    makeSwitch: (name, notes, uplink) => makeSwitch(link, name, notes, uplink),
    changeSwitch: (guid, wanted) => changeSwitch(link, guid, wanted),
    bindSwitch: (guid, uplink) => bindSwitch(link, guid, uplink),
    destroySwitch: guid => destroySwitch(link, guid),
    cables: () => allCables(link),
    adapters: guid => adaptersOf(link, guid),
    addAdapter: (guid, adapter) => addAdapter(link, guid, adapter),
    removeAdapter: adapter => removeAdapter(link, adapter),
    plug: (guid, adapter, to) => plug(link, guid, adapter, to),
    unplug: cableId => unplug(link, cableId),
    tag: (cableId, vlan) => tag(link, cableId, vlan),
  }
}
