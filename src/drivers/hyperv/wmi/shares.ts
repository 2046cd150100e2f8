import { DriverError } from '../../driver.ts'
import type { Shares } from '../scheduling-back-end.ts'
import { type Link, settingsOf } from './link.ts'

/** Source: Microsoft Learn, the pages of the same names, in both namespaces. */
const COMPONENT = 'Msvm_VirtualSystemSettingDataComponent'
const PROCESSOR = 'Msvm_ProcessorSettingData'

/** What the processors of a machine get, in one round trip. Rejects as `refused` where the host tells nothing of them. */
export async function sharesOf(link: Link, guid: string): Promise<Shares> {
  const association = { associationClass: COMPONENT, resultClass: PROCESSOR }
  const [processor] = await link.client.associators(settingsOf(link, guid), association)
  if (processor === undefined) {
    throw new DriverError('refused', `the host tells nothing of the processors of the machine ${guid}`)
  }
  return {
    weight: processor.number('Weight') ?? 0,
    limit: Number(processor.bigint('Limit') ?? 0n),
    reservation: Number(processor.bigint('Reservation') ?? 0n),
    processorId: processor.string('InstanceID') ?? '',
  }
}
