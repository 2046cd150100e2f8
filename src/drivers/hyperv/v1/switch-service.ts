import type { CimMethod, EndpointReference, InputOf, Types } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import { settle } from '../wmi/jobs.ts'
import type { Link } from '../wmi/link.ts'
import { SWITCH_SERVICE } from './network-classes.ts'

/** The service for switches, which older hosts want named by all its keys. */
export async function switchService({ client }: Link): Promise<EndpointReference> {
  const [service] = await client.queryReferences(SWITCH_SERVICE)
  if (service === undefined) throw new DriverError('refused', 'the host manages no switches')
  return service
}

/** Calls a method of the service that answers at once; `deed` is what it does, as in "cannot … it". */
export async function callAtOnce<I extends Types, O extends Types>(
  { link, service }: { readonly link: Link; readonly service: EndpointReference },
  method: CimMethod<I, O>,
  input: InputOf<I>,
  deed: string,
) {
  const answer = await link.client.call(service, method, input)
  await settle(link, { returnValue: answer.returnValue, values: { Job: undefined } }, deed)
  return answer.values
}
