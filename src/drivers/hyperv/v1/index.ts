import { wql } from '../../../protocols/wsman/index.ts'
import type { BackEnd } from '../back-end.ts'
import { fileBackEnd } from '../cimv2/files.ts'
import type { NetworkBackEnd } from '../network-back-end.ts'
import { autostartV1 } from './autostart.ts'
import { schedulingV1 } from './scheduling.ts'
import { snapshotsV1 } from './snapshots.ts'
import { driveBackEnd } from '../wmi/drives.ts'
import type { Link } from '../wmi/link.ts'
import type { MachineWords } from '../wmi/machines.ts'
import { sharedBackEnd } from '../wmi/shared-back-end.ts'
import { requestBy } from '../wmi/systems.ts'
import { adaptersOf, addAdapter, plug, removeAdapter, tag, unplug } from './adapters.ts'
import { destroyWithPorts } from './destruction.ts'
import { stateOf } from './enabled-state.ts'
import { driveFaceV1 } from './drives.ts'
import { readAllHardware, readHardware, resize } from './hardware.ts'
import { imagesV1 } from './images.ts'
import { CURRENT_SETTINGS, REQUESTED_STATE } from './names.ts'
import {
  allCables,
  allCards,
  allSwitches,
  allTitles,
  bindSwitch,
  changeSwitch,
  destroySwitch,
  makeSwitch,
} from './switches.ts'
import { change, create } from './systems.ts'

export { V1 } from './names.ts'

const MACHINE_WORDS: MachineWords = {
  stateOf,
  ownSettings: wql`SELECT InstanceID, Notes FROM Msvm_VirtualSystemSettingData WHERE SettingType = ${CURRENT_SETTINGS}`,
  notesIn: settings => settings.string('Notes') ?? '',
}

/** A host through root\virtualization. */
export function backEndV1(link: Link): BackEnd & NetworkBackEnd {
  return {
    ...sharedBackEnd(link, MACHINE_WORDS),
    hardware: guid => readHardware(link, guid),
    hardwareOfAll: () => readAllHardware(link),
    create: (name, notes) => create(link, name, notes),
    destroy: guid => destroyWithPorts(link, guid),
    change: (guid, wanted) => change(link, guid, wanted),
    resize: (hardware, wanted) => resize(link, hardware, wanted),
    request: (guid, what, options) => requestBy(link, REQUESTED_STATE, guid, what, options),
    autostart: autostartV1(link),
    scheduling: schedulingV1(link),
    snapshots: snapshotsV1(link),
    storage: { ...fileBackEnd(link.client), ...imagesV1(link) },
    drives: driveBackEnd(link, driveFaceV1(link)),
    renamesSwitches: false,
    plugsHost: false,
    switches: () => allSwitches(link),
    switchTitles: () => allTitles(link),
    cards: () => allCards(link),
    makeSwitch: made => makeSwitch(link, made),
    changeSwitch: (guid, wanted) => changeSwitch(link, guid, wanted),
    bindSwitch: (guid, uplink) => bindSwitch(link, guid, uplink),
    destroySwitch: guid => destroySwitch(link, guid),
    cables: () => allCables(link),
    adapters: guid => adaptersOf(link, guid),
    tagged: async (_guid, adapters) => adapters,
    addAdapter: (guid, adapter) => addAdapter(link, guid, adapter),
    removeAdapter: adapter => removeAdapter(link, adapter),
    plug: (guid, adapter, to) => plug(link, guid, adapter, to),
    unplug: cableId => unplug(link, cableId),
    tag: (cableId, vlan) => tag(link, cableId, vlan),
  }
}
