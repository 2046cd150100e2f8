import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CimInstance,
  type EndpointReference,
  httpTransport,
  type InvokeResult,
  wql,
  WsmanClient,
  type WsmanClientOptions,
  type WsmanTarget,
} from '../../src/protocols/wsman/index.ts'
import { HYPERV_ADMIN, type SimHyperv } from '../support/sim-hyperv.ts'

const V2 = 'root/virtualization/v2'
const JOB_MS = 20_000

/** A client of ours for one of a host's listeners, logged on as its administrator unless the target says otherwise. */
export function connect(
  host: SimHyperv,
  target: Partial<WsmanTarget> & { readonly listener?: number } = {},
  options: WsmanClientOptions = {},
): WsmanClient {
  const { listener = 0, auth = 'negotiate', ...others } = target
  // By its name, which is what certificates and tickets are for.
  const url = `${host.urls[listener] ?? ''}/wsman`.replace('127.0.0.1', 'localhost')
  const hasPassword = auth === 'negotiate' || auth === 'basic'
  const account = hasPassword ? { user: HYPERV_ADMIN.name, password: () => HYPERV_ADMIN.password } : {}
  return new WsmanClient(httpTransport({ url, auth, ...account, ...others }), {
    namespace: V2,
    ...options,
  })
}

/** Follows the job of a call until it has ended, and gives it as it is then; undefined where the call was done at once. */
export async function finish(
  client: WsmanClient,
  { returnValue, output }: InvokeResult,
): Promise<CimInstance | undefined> {
  if (returnValue === 0) return undefined
  assert.equal(returnValue, 4096)
  const job = output.reference('Job')
  assert.ok(job)
  const deadline = Date.now() + JOB_MS
  for (;;) {
    const now = await client.get(job)
    if ((now.number('JobState') ?? 0) >= 7) return now
    assert.ok(Date.now() < deadline, 'the job has no end')
    await sleep(10)
  }
}

/** The reference to a machine of this name; there has to be one and no more. */
export async function machineNamed(client: WsmanClient, name: string): Promise<EndpointReference> {
  const [found, ...more] = await client.queryReferences(
    wql`SELECT * FROM Msvm_ComputerSystem WHERE ElementName = ${name}`,
  )
  assert.ok(found !== undefined && more.length === 0, name)
  return found
}

export async function stateOf(client: WsmanClient, machine: EndpointReference): Promise<number | undefined> {
  return (await client.get(machine)).number('EnabledState')
}
