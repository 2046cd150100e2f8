import type { BackEnd } from '../back-end.ts'
import { itemsOf, toolsOf, toolsOfAll } from './guest-tools.ts'
import { shutDownGuest } from './guests.ts'
import { memoryMbOf } from './hardware.ts'
import type { Link } from './link.ts'
import { machineReader } from './machine-reader.ts'
import { allGlances, type MachineWords, machineLister, someMachines } from './machines.ts'
import { screensOf } from './screens.ts'

/** What a host does in the same way through both of its namespaces, but for the words that each has for machines. */
export type SharedBackEnd = Pick<
  BackEnd,
  'machines' | 'machine' | 'machinesInUse' | 'glances' | 'memoryMb' | 'shutDownGuest' | 'guests' | 'screens'
>

/** See `SharedBackEnd`. */
export function sharedBackEnd(link: Link, words: MachineWords): SharedBackEnd {
  return {
    machines: machineLister(link, words),
    machine: machineReader(link, words),
    machinesInUse: guids => someMachines(link, words, guids),
    glances: signal => allGlances(link, words, signal),
    memoryMb: guid => memoryMbOf(link, guid),
    shutDownGuest: guid => shutDownGuest(link, guid),
    guests: {
      tools: guid => toolsOf(link, guid),
      toolsOfAll: () => toolsOfAll(link),
      items: guid => itemsOf(link, guid),
    },
    screens: screensOf(link),
  }
}
