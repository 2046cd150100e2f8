import { defineClass, defineMethod, instanceOf } from '../../../protocols/wsman/index.ts'
import { untilAnswered } from '../again.ts'
import type { SchedulingBackEnd, Shares } from '../scheduling-back-end.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { sharesOf } from '../wmi/shares.ts'

/** From Windows Server 2016 on, shares change while a machine is on. Source: as Hyper-V Manager lets them. */
const ONLINE_FROM_BUILD = 14_393

const PROCESSOR = defineClass('Msvm_ProcessorSettingData', { InstanceID: 'string', Limit: 'uint64', Weight: 'uint32' })

const MODIFY = defineMethod('Msvm_VirtualSystemManagementService', 'ModifyResourceSettings', {
  input: { ResourceSettings: 'instance[]' },
  output: { Job: 'reference' },
})

/** What machines get of processors, which stands in the settings of theirs. */
export function schedulingV2(link: Link): SchedulingBackEnd {
  return {
    isOnline: link.build >= ONLINE_FROM_BUILD,
    shares: guid => sharesOf(link, guid),
    setShares: (processorId, shares) => setShares(link, processorId, shares),
  }
}

async function setShares(link: Link, InstanceID: string, { weight, limit }: Pick<Shares, 'weight' | 'limit'>) {
  const input = { ResourceSettings: [instanceOf(PROCESSOR, { InstanceID, Limit: limit, Weight: weight })] }
  const answer = await untilAnswered(() => link.client.call(link.service, MODIFY, input))
  await settle(link, answer, 'change the shares of the machine')
}
