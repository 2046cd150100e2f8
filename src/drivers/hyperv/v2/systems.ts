import { instanceOf } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { SettingsChange } from '../back-end.ts'
import { scsiController } from '../wmi/drive-words.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { BOOT_ORDERS, madeBy } from '../wmi/systems.ts'
import { SYSTEM_SETTINGS, settingsIdOf, systemOf } from './classes.ts'
import { DRIVE_WORDS, driveFaceV2 } from './drives.ts'
import { DEFINE_SYSTEM, DESTROY_SYSTEM, INJECT_NMI, MODIFY_SYSTEM } from './methods.ts'

/** A machine with a BIOS, which boots whatever is put into it. Source: as real hosts have it, from build 9600 on. */
const FIRST_GENERATION = 'Microsoft:Hyper-V:SubType:1'
const GENERATIONS_FROM_BUILD = 9_600
/** Source: the MOF of real hosts, which has TurnOffOnGuestRestart from this build on. */
const OFF_ON_RESTART_FROM_BUILD = 17_763

/** Source: the MOF of real hosts, which has InjectNonMaskableInterrupt from this build on. */
export const NMI_FROM_BUILD = 9_600

/**
 * Makes a machine, and gives its GUID, which the host chooses. It has a controller of SCSI from the beginning: none can be
 * added while it runs.
 */
export async function create(link: Link, name: string, notes: string): Promise<string> {
  const generation = link.build >= GENERATIONS_FROM_BUILD ? { VirtualSystemSubType: FIRST_GENERATION } : {}
  const SystemSettings = instanceOf(SYSTEM_SETTINGS, { ElementName: name, Notes: [notes], ...generation })
  const ResourceSettings = [driveFaceV2(link).partOf(scsiController(DRIVE_WORDS))]
  const answer = await link.client.call(link.service, DEFINE_SYSTEM, { SystemSettings, ResourceSettings })
  await settle(link, answer, 'make the machine')
  const { ResultingSystem, Job } = answer.values
  const guid = ResultingSystem?.key('Name') ?? (Job && (await madeBy(link, Job)))
  if (guid === undefined)
    throw new DriverError('unreachable', `the host does not name the machine ${name} that it made`)
  return guid.toUpperCase()
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

/** Interrupts the guest of a machine that runs. */
export async function injectNmi(link: Link, guid: string): Promise<void> {
  await settle(link, await link.client.call(systemOf(guid), INJECT_NMI, {}), 'interrupt the guest')
}
