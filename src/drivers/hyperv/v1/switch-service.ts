import {
  type CimMethod,
  type EndpointReference,
  type InputOf,
  reference,
  type Types,
} from '../../../protocols/wsman/index.ts'
import { settle } from '../wmi/jobs.ts'
import { hostNameOf, type Link } from '../wmi/link.ts'
import { V1 } from './names.ts'
import { SWITCH_SERVICE } from './network-classes.ts'

/**
 * The service for switches, by all its keys, without which older hosts do not know it.
 * Source: Microsoft Learn, "Msvm_VirtualSwitchManagementService" (v1); clients of real hosts name it so.
 */
export const switchService = (link: Link): EndpointReference =>
  reference(V1, SWITCH_SERVICE, {
    CreationClassName: SWITCH_SERVICE,
    Name: 'nvspwmi',
    SystemCreationClassName: 'Msvm_ComputerSystem',
    SystemName: hostNameOf(link),
  })

/** Calls a method of the service that answers at once; `deed` is what it does, as in "cannot … it". */
export async function callAtOnce<I extends Types, O extends Types>(
  link: Link,
  method: CimMethod<I, O>,
  input: InputOf<I>,
  deed: string,
) {
  const answer = await link.client.call(switchService(link), method, input)
  await settle(link, { returnValue: answer.returnValue, values: { Job: undefined } }, deed)
  return answer.values
}
