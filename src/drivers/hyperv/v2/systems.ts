import { type EndpointReference, instanceOf } from '../../../protocols/wsman/index.ts'
import { DriverError, type OperationOptions } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { BootDevice, PowerRequest, SettingsChange } from '../back-end.ts'
import { SYSTEM_SETTINGS, settingsIdOf, systemOf } from './classes.ts'
import { settle } from './jobs.ts'
import type { Link } from './link.ts'
import { DEFINE_SYSTEM, DESTROY_SYSTEM, MODIFY_SYSTEM, REQUEST_STATE_CHANGE } from './methods.ts'
import { REQUESTED_STATE } from './names.ts'

/**
 * BootOrder: 0 floppy, 1 CD, 2 IDE disk, 3 network; all four, in order.
 * Source: Microsoft Learn, "Msvm_VirtualSystemSettingData (V2)".
 */
const BOOT_ORDERS: Readonly<Record<BootDevice, readonly number[]>> = {
  floppy: [0, 1, 2, 3],
  cdrom: [1, 2, 3, 0],
  disk: [2, 1, 3, 0],
}

/** A machine with a BIOS, which boots whatever is put into it. Source: as real hosts have it, from build 9600 on. */
const FIRST_GENERATION = 'Microsoft:Hyper-V:SubType:1'
const GENERATIONS_FROM_BUILD = 9_600
/** Source: the MOF of real hosts, which has TurnOffOnGuestRestart from this build on. */
const OFF_ON_RESTART_FROM_BUILD = 17_763

/** Source: Microsoft Learn, "Msvm_AffectedJobElement"; as recorded on a real host, v2. */
const AFFECTED = 'Msvm_AffectedJobElement'
const SYSTEM = 'Msvm_ComputerSystem'

/** Makes a machine, and gives its GUID, which the host chooses. */
export async function create(link: Link, name: string, notes: string): Promise<string> {
  const generation = link.build >= GENERATIONS_FROM_BUILD ? { VirtualSystemSubType: FIRST_GENERATION } : {}
  const SystemSettings = instanceOf(SYSTEM_SETTINGS, { ElementName: name, Notes: [notes], ...generation })
  const answer = await link.client.call(link.service, DEFINE_SYSTEM, { SystemSettings })
  await settle(link, answer, 'make the machine')
  const { ResultingSystem, Job } = answer.values
  const guid = ResultingSystem?.key('Name') ?? (Job && (await madeBy(link, Job)))
  if (guid === undefined)
    throw new DriverError('unreachable', `the host does not name the machine ${name} that it made`)
  return guid.toUpperCase()
}

/** The machine that a job has made: a call that goes on in one cannot name it yet. */
async function madeBy(link: Link, job: EndpointReference): Promise<string | undefined> {
  const affected = await link.client.associators(job, { associationClass: AFFECTED, resultClass: SYSTEM })
  return affected[0]?.string('Name')
}

/** Forgets a machine; its files of disks stay. */
export async function destroy(link: Link, guid: string): Promise<void> {
  const answer = await link.client.call(link.service, DESTROY_SYSTEM, { AffectedSystem: systemOf(guid) })
  await settle(link, answer, 'delete the machine')
}

/** Changes settings of a machine; of its notes, a host keeps the first. Source: as real hosts behave, v2. */
export async function change(link: Link, guid: string, wanted: SettingsChange): Promise<void> {
  const { name, notes, bootFirst, isOffOnRestart } = wanted
  const hasOffOnRestart = isOffOnRestart !== undefined && link.build >= OFF_ON_RESTART_FROM_BUILD
  const SystemSettings = instanceOf(SYSTEM_SETTINGS, {
    InstanceID: settingsIdOf(guid),
    ...(name !== undefined && { ElementName: name }),
    ...(notes !== undefined && { Notes: [notes] }),
    ...(bootFirst !== undefined && { BootOrder: BOOT_ORDERS[bootFirst] }),
    ...(hasOffOnRestart && { TurnOffOnGuestRestart: isOffOnRestart }),
  })
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_SYSTEM, { SystemSettings }))
  await settle(link, answer, 'change the settings of the machine')
}

const DEEDS: Readonly<Record<PowerRequest, string>> = {
  run: 'run the machine',
  'turn-off': 'turn the machine off',
  pause: 'pause the machine',
  save: 'save the machine',
  reset: 'reset the machine',
}

/** Asks for another state of power, and waits until the host says that it is done. */
export async function request(link: Link, guid: string, what: PowerRequest, options?: OperationOptions): Promise<void> {
  const RequestedState = REQUESTED_STATE[what]
  const answer = await link.client.call(systemOf(guid), REQUEST_STATE_CHANGE, { RequestedState })
  await settle(link, answer, DEEDS[what], options)
}
