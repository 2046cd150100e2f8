import { defineMethod, type EndpointReference } from '../../../protocols/wsman/index.ts'
import type { OperationOptions } from '../../driver.ts'
import type { BootDevice, PowerRequest } from '../back-end.ts'
import { settle } from './jobs.ts'
import { type Link, systemOf } from './link.ts'

/**
 * BootOrder: 0 floppy, 1 CD, 2 IDE disk, 3 network; all four, in order.
 * Source: Microsoft Learn, "Msvm_VirtualSystemSettingData", the same in both namespaces.
 */
export const BOOT_ORDERS: Readonly<Record<BootDevice, readonly number[]>> = {
  floppy: [0, 1, 2, 3],
  cdrom: [1, 2, 3, 0],
  disk: [2, 1, 3, 0],
  network: [3, 2, 1, 0],
}

/** Source: Microsoft Learn, "Msvm_AffectedJobElement"; as recorded on a real host, v2. */
const AFFECTED = 'Msvm_AffectedJobElement'
const SYSTEM = 'Msvm_ComputerSystem'

/** The machine that a job has made: a call that goes on in one cannot name it yet. */
export async function madeBy(link: Link, job: EndpointReference): Promise<string | undefined> {
  const affected = await link.client.associators(job, { associationClass: AFFECTED, resultClass: SYSTEM })
  return affected[0]?.string('Name')
}

const REQUEST_STATE_CHANGE = defineMethod(SYSTEM, 'RequestStateChange', {
  input: { RequestedState: 'uint16' },
  output: { Job: 'reference' },
})

const DEEDS: Readonly<Record<PowerRequest, string>> = {
  run: 'run the machine',
  'turn-off': 'turn the machine off',
  pause: 'pause the machine',
  save: 'save the machine',
  reset: 'reset the machine',
}

/** Asks for another state of power, by the numbers of the namespace, and waits until the host says that it is done. */
export async function requestBy(
  link: Link,
  codes: Readonly<Record<PowerRequest, number>>,
  guid: string,
  what: PowerRequest,
  options?: OperationOptions,
): Promise<void> {
  const answer = await link.client.call(systemOf(link, guid), REQUEST_STATE_CHANGE, { RequestedState: codes[what] })
  await settle(link, answer, DEEDS[what], options)
}
