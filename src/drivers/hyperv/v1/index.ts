import { wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import type { BackEnd } from '../back-end.ts'
import type { NetworkBackEnd } from '../network-back-end.ts'
import { shutDownGuest } from '../wmi/guests.ts'
import { autostartV1 } from './autostart.ts'
import { schedulingV1 } from './scheduling.ts'
import { driveBackEnd } from '../wmi/drives.ts'
import { memoryMbOf } from '../wmi/hardware.ts'
import type { Link } from '../wmi/link.ts'
import { allGlances, type MachineWords, machineLister, oneMachine } from '../wmi/machines.ts'
import { screensOf } from '../wmi/screens.ts'
import { requestBy } from '../wmi/systems.ts'
import { stateOf } from './enabled-state.ts'
import { driveFaceV1 } from './drives.ts'
import { readAllHardware, readHardware, resize } from './hardware.ts'
import { CURRENT_SETTINGS, REQUESTED_STATE } from './names.ts'
import { change, create, destroy } from './systems.ts'

export { V1 } from './names.ts'

const MACHINE_WORDS: MachineWords = {
  stateOf,
  ownSettings: wql`SELECT InstanceID, Notes FROM Msvm_VirtualSystemSettingData WHERE SettingType = ${CURRENT_SETTINGS}`,
  notesIn: settings => settings.string('Notes') ?? '',
}

/** A host through root\virtualization. */
export function backEndV1(link: Link): BackEnd & NetworkBackEnd {
  return {
    machines: machineLister(link, MACHINE_WORDS),
    machine: guid => oneMachine(link, MACHINE_WORDS, guid),
    glances: signal => allGlances(link, MACHINE_WORDS, signal),
    hardware: guid => readHardware(link, guid),
    hardwareOfAll: () => readAllHardware(link),
    memoryMb: guid => memoryMbOf(link, guid),
    create: (name, notes) => create(link, name, notes),
    destroy: guid => destroy(link, guid),
    change: (guid, wanted) => change(link, guid, wanted),
    resize: (hardware, wanted) => resize(link, hardware, wanted),
    request: (guid, what, options) => requestBy(link, REQUESTED_STATE, guid, what, options),
    shutDownGuest: guid => shutDownGuest(link, guid),
    autostart: autostartV1(link),
    scheduling: schedulingV1(link),
    screens: screensOf(link),
    drives: driveBackEnd(link, driveFaceV1(link)),
    switches: notDriven,
    cards: notDriven,
    makeSwitch: notDriven,
    changeSwitch: notDriven,
    bindSwitch: notDriven,
    destroySwitch: notDriven,
    cables: notDriven,
    adapters: async () => [],
    addAdapter: notDriven,
    removeAdapter: notDriven,
    plug: notDriven,
    unplug: notDriven,
    tag: notDriven,
  }
}

async function notDriven(): Promise<never> {
  throw new DriverError('refused', 'networks are not driven through root\\virtualization yet')
}
