import { wql } from '../../../protocols/wsman/index.ts'
import type { BackEnd } from '../back-end.ts'
import { fileBackEnd } from '../cimv2/files.ts'
import type { NetworkBackEnd } from '../network-back-end.ts'
import { driveBackEnd } from '../wmi/drives.ts'
import type { Link } from '../wmi/link.ts'
import type { MachineWords } from '../wmi/machines.ts'
import { sharedBackEnd } from '../wmi/shared-back-end.ts'
import { requestBy } from '../wmi/systems.ts'
import { stateOf } from './enabled-state.ts'
import { autostartV2 } from './autostart.ts'
import { adaptersOf, addAdapter, plug, removeAdapter, tag, tagged, unplug } from './adapters.ts'
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
import { driveFaceV2 } from './drives.ts'
import { readAllHardware, readHardware, resize } from './hardware.ts'
import { guestNetworks } from './guest-networks.ts'
import { imagesV2 } from './images.ts'
import { REQUESTED_STATE } from './names.ts'
import { schedulingV2 } from './scheduling.ts'
import { snapshotsV2 } from './snapshots.ts'
import { change, create, destroy, injectNmi, NMI_FROM_BUILD } from './systems.ts'

export { V2 } from './names.ts'

/** VirtualSystemType of what a machine has, as against its snapshots. Source: as real hosts have it, v2. */
const REALIZED = 'Microsoft:Hyper-V:System:Realized'

const MACHINE_WORDS: MachineWords = {
  stateOf,
  ownSettings: wql`SELECT InstanceID, Notes FROM Msvm_VirtualSystemSettingData WHERE VirtualSystemType = ${REALIZED}`,
  notesIn: settings => settings.strings('Notes')[0] ?? '',
}

/** A host through root\virtualization\v2. */
export function backEndV2(link: Link): BackEnd & NetworkBackEnd {
  const shared = sharedBackEnd(link, MACHINE_WORDS)
  return {
    ...shared,
    guests: { ...shared.guests, networks: guid => guestNetworks(link, guid) },
    hardware: guid => readHardware(link, guid),
    hardwareOfAll: () => readAllHardware(link),
    create: (name, notes) => create(link, name, notes),
    destroy: guid => destroy(link, guid),
    change: (guid, wanted) => change(link, guid, wanted),
    resize: (hardware, wanted) => resize(link, hardware, wanted),
    request: (guid, what, options) => requestBy(link, REQUESTED_STATE, guid, what, options),
    ...(link.build >= NMI_FROM_BUILD && { injectNmi: (guid: string) => injectNmi(link, guid) }),
    storage: { ...fileBackEnd(link.client), ...imagesV2(link) },
    drives: driveBackEnd(link, driveFaceV2(link)),
    autostart: autostartV2(link),
    scheduling: schedulingV2(link),
    snapshots: snapshotsV2(link),
    renamesSwitches: true,
    plugsHost: true,
    switches: () => allSwitches(link),
    switchTitles: () => allTitles(link),
    cards: () => allCards(link),
    makeSwitch: made => makeSwitch(link, made),
    changeSwitch: (guid, wanted) => changeSwitch(link, guid, wanted),
    bindSwitch: (guid, uplink) => bindSwitch(link, guid, uplink),
    destroySwitch: guid => destroySwitch(link, guid),
    cables: () => allCables(link),
    adapters: guid => adaptersOf(link, guid),
    tagged: (guid, adapters) => tagged(link, guid, adapters),
    addAdapter: (guid, adapter) => addAdapter(link, guid, adapter),
    removeAdapter: adapter => removeAdapter(link, adapter),
    plug: (guid, adapter, to) => plug(link, guid, adapter, to),
    unplug: cableId => unplug(link, cableId),
    tag: (cableId, vlan) => tag(link, cableId, vlan),
  }
}
