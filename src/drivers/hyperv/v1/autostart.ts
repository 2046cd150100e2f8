import { defineClass, instanceOf, reference } from '../../../protocols/wsman/index.ts'
import type { StartupAction } from '../../driver.ts'
import { untilAnswered } from '../again.ts'
import type { AutostartBackEnd } from '../autostart-back-end.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { type StartupCodes, startupOf } from '../wmi/startup-action.ts'
import { globalIdOf, systemOf } from './classes.ts'
import { MODIFY_SYSTEM } from './methods.ts'
import { V1 } from './names.ts'

/** Source: Microsoft Learn, "Msvm_VirtualSystemGlobalSettingData", AutomaticStartupAction: not the numbers of v2. */
const CODES: StartupCodes = { never: 0, 'if-was-running': 1, always: 2 }

const SETTINGS = defineClass('Msvm_VirtualSystemGlobalSettingData', {
  InstanceID: 'string',
  AutomaticStartupAction: 'uint16',
})

/** The startup actions of machines, which stand in what they are for all their life. */
export function autostartV1(link: Link): AutostartBackEnd {
  return {
    async startup(guid) {
      const settings = await link.client.get(reference(V1, SETTINGS.name, { InstanceID: globalIdOf(guid) }))
      return startupOf(CODES, settings.number('AutomaticStartupAction'))
    },
    setStartup: (guid, action) => setStartup(link, guid, action),
  }
}

async function setStartup(link: Link, guid: string, action: StartupAction): Promise<void> {
  const values = { InstanceID: globalIdOf(guid), AutomaticStartupAction: CODES[action] }
  const input = { ComputerSystem: systemOf(guid), SystemSettingData: instanceOf(SETTINGS, values) }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY_SYSTEM, input))
  await settle(link, answer, 'set what becomes of the machine when its host starts')
}
