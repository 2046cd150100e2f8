import type { BackEnd } from '../back-end.ts'
import { shutDownGuest } from './guests.ts'
import { readHardware, resize } from './hardware.ts'
import type { Link } from './link.ts'
import { allGlances, allMachines, oneMachine } from './machines.ts'
import { change, create, destroy, request } from './systems.ts'

export type { Link } from './link.ts'
export { V2 } from './names.ts'

/** A host through root\virtualization\v2. */
export function backEndV2(link: Link): BackEnd {
  return {
    machines: () => allMachines(link),
    machine: guid => oneMachine(link, guid),
    glances: signal => allGlances(link, signal),
    hardware: guid => readHardware(link, guid),
    create: (name, notes) => create(link, name, notes),
    destroy: guid => destroy(link, guid),
    change: (guid, wanted) => change(link, guid, wanted),
    resize: (hardware, wanted) => resize(link, hardware, wanted),
    request: (guid, what, options) => request(link, guid, what, options),
    shutDownGuest: guid => shutDownGuest(link, guid),
  }
}
