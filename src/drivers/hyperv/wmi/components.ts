import type { CimInstance } from '../../../protocols/wsman/index.ts'
import { type Link, settingsOf } from './link.ts'

/** What joins the settings of a machine to those of its devices. Source: Microsoft Learn, the page of the same name. */
const COMPONENT = 'Msvm_VirtualSystemSettingDataComponent'

/** The settings of everything that a machine is made of, in one enumeration. */
export async function componentsOf(link: Link, guid: string): Promise<readonly CimInstance[]> {
  return link.client.associators(settingsOf(link, guid), { associationClass: COMPONENT })
}
