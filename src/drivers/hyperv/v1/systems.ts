import { type CimInstance, instanceOf, wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import { isLost, untilAnswered } from '../again.ts'
import type { SettingsChange } from '../back-end.ts'
import { nameToBegin } from '../directory.ts'
import { takeBack } from '../undo.ts'
import { scsiController } from '../wmi/drive-words.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { BOOT_ORDERS, madeBy } from '../wmi/systems.ts'
import { GLOBAL_SETTINGS, globalIdOf, settingsIdOf, SYSTEM_SETTINGS, systemOf } from './classes.ts'
import { DRIVE_WORDS, driveFaceV1 } from './drives.ts'
import { DEFINE_SYSTEM, DESTROY_SYSTEM, MODIFY_SYSTEM } from './methods.ts'

/**
 * Makes a machine, and gives its GUID, which the host chooses. A host takes the name of a new machine and nothing else
 * that could tell whose it is, so that the machine begins under a name that is nobody else's: by it, one is found whose
 * making was not answered. It has a controller of SCSI: none can be added while it runs.
 */
export async function create(link: Link, name: string, notes: string): Promise<string> {
  const guid = await define(link, nameToBegin())
  try {
    // The notes first: from then on it is known whose the machine is.
    await modify(link, guid, instanceOf(SYSTEM_SETTINGS, { InstanceID: settingsIdOf(guid), Notes: notes }))
    await rename(link, guid, name)
  } catch (error) {
    await takeBack(() => destroy(link, guid), error, `a machine ${name} (${guid}) remains on the host`)
    throw error
  }
  return guid
}

async function define(link: Link, name: string): Promise<string> {
  const SystemSettingData = instanceOf(GLOBAL_SETTINGS, { ElementName: name })
  try {
    const ResourceSettingData = [driveFaceV1(link).partOf(scsiController(DRIVE_WORDS))]
    const answer = await link.client.call(link.service, DEFINE_SYSTEM, { SystemSettingData, ResourceSettingData })
    await settle(link, answer, 'make the machine')
    const { DefinedSystem, Job } = answer.values
    const guid = DefinedSystem?.key('Name') ?? (Job && (await madeBy(link, Job)))
    if (guid !== undefined) return guid.toUpperCase()
  } catch (error) {
    const made = isLost(error) ? await named(link, name) : undefined
    if (made === undefined) throw error
    return made
  }
  throw new DriverError('unreachable', `the host does not name the machine ${name} that it made`)
}

async function named(link: Link, name: string): Promise<string | undefined> {
  const [row] = await link.client.query(wql`SELECT Name FROM Msvm_ComputerSystem WHERE ElementName = ${name}`)
  return row?.string('Name')?.toUpperCase()
}

/** Forgets a machine; its files of disks stay. */
export async function destroy(link: Link, guid: string): Promise<void> {
  const answer = await link.client.call(link.service, DESTROY_SYSTEM, { ComputerSystem: systemOf(guid) })
  await settle(link, answer, 'delete the machine')
}

/**
 * Changes settings of a machine, whose name stands in another object than the rest: the name first, which is taken back
 * where the rest fails. A guest that restarts is never turned off.
 */
export async function change(link: Link, guid: string, { name, notes, bootFirst }: SettingsChange): Promise<void> {
  const before = name === undefined ? undefined : await nameOf(link, guid)
  if (name !== before) await rename(link, guid, name)
  if (notes === undefined && bootFirst === undefined) return
  const settings = instanceOf(SYSTEM_SETTINGS, {
    InstanceID: settingsIdOf(guid),
    ...(notes !== undefined && { Notes: notes }),
    ...(bootFirst !== undefined && { BootOrder: BOOT_ORDERS[bootFirst] }),
  })
  try {
    await modify(link, guid, settings)
  } catch (error) {
    if (name !== before) await takeBack(() => rename(link, guid, before), error, `the machine ${guid} remains renamed`)
    throw error
  }
}

async function nameOf(link: Link, guid: string): Promise<string | undefined> {
  return (await link.client.get(systemOf(guid))).string('ElementName')
}

async function rename(link: Link, guid: string, name = ''): Promise<void> {
  await modify(link, guid, instanceOf(GLOBAL_SETTINGS, { InstanceID: globalIdOf(guid), ElementName: name }))
}

async function modify(link: Link, guid: string, SystemSettingData: CimInstance): Promise<void> {
  const input = { ComputerSystem: systemOf(guid), SystemSettingData }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_SYSTEM, input))
  await settle(link, answer, 'change the settings of the machine')
}
