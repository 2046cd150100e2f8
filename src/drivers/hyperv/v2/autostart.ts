import { defineClass, defineMethod, instanceOf } from '../../../protocols/wsman/index.ts'
import type { StartupAction } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { AutostartBackEnd } from '../autostart-back-end.ts'
import { settle } from '../wmi/jobs.ts'
import { type Link, settingsIdOf, settingsOf } from '../wmi/link.ts'
import { type StartupCodes, startupOf } from '../wmi/startup-action.ts'

/** Source: Microsoft Learn, "Msvm_VirtualSystemSettingData (V2)", AutomaticStartupAction. */
const CODES: StartupCodes = { never: 2, 'if-was-running': 3, always: 4 }

const SETTINGS = defineClass('Msvm_VirtualSystemSettingData', {
  InstanceID: 'string',
  AutomaticStartupAction: 'uint16',
})

const MODIFY = defineMethod('Msvm_VirtualSystemManagementService', 'ModifySystemSettings', {
  input: { SystemSettings: 'instance' },
  output: { Job: 'reference' },
})

/** The startup actions of machines, which stand in their settings. */
export function autostartV2(link: Link): AutostartBackEnd {
  return {
    startup: async guid =>
      startupOf(CODES, (await link.client.get(settingsOf(link, guid))).number('AutomaticStartupAction')),
    setStartup: (guid, action) => setStartup(link, guid, action),
  }
}

async function setStartup(link: Link, guid: string, action: StartupAction): Promise<void> {
  const values = { InstanceID: settingsIdOf(guid), AutomaticStartupAction: CODES[action] }
  const SystemSettings = instanceOf(SETTINGS, values)
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY, { SystemSettings }))
  await settle(link, answer, 'set what becomes of the machine when its host starts')
}
