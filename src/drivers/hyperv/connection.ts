import { httpTransport, TargetError, WsmanClient, WsmanFault, type WsmanTarget } from '../../protocols/wsman/index.ts'
import { DriverError } from '../driver.ts'
import type { BackEnd } from './back-end.ts'
import { toDriverError } from './gate.ts'
import { type HostFacts, readHostFacts } from './host-facts.ts'
import type { NetworkBackEnd } from './network-back-end.ts'
import { backEndV2, V2 } from './v2/index.ts'

/** A host that has answered, through the namespace that it has. */
export interface Connection {
  readonly backEnd: BackEnd & NetworkBackEnd
  readonly facts: HostFacts
  readonly client: WsmanClient
}

/** The namespace of hosts before Windows Server 2012. */
const V1 = 'root/virtualization'
const SERVICE = 'Msvm_VirtualSystemManagementService'

/** Connects to a host, and finds out what it has. Rejects with DriverError; then nothing is left open. */
export async function openConnection(target: WsmanTarget, signal: AbortSignal | undefined): Promise<Connection> {
  const client = clientOf(target)
  try {
    return await explore(client, signal)
  } catch (error) {
    await client.close()
    throw toDriverError(error)
  }
}

function clientOf(target: WsmanTarget): WsmanClient {
  try {
    return new WsmanClient(httpTransport(target), { namespace: V2 })
  } catch (error) {
    if (error instanceof TargetError) throw new DriverError('refused', error.message, { cause: error })
    throw error
  }
}

async function explore(client: WsmanClient, signal: AbortSignal | undefined): Promise<Connection> {
  const patience = signal === undefined ? {} : { signal }
  const service = await serviceIn(client, V2, patience)
  if (service === undefined) throw await withoutV2(client, patience)
  const facts = await readHostFacts(client, patience)
  return { backEnd: backEndV2({ client, service, build: facts.build }), facts, client }
}

async function withoutV2(client: WsmanClient, patience: { readonly signal?: AbortSignal }): Promise<DriverError> {
  const isOld = (await serviceIn(client, V1, patience)) !== undefined
  const only = 'the host has only root\\virtualization, which this version does not drive yet'
  return new DriverError('refused', isOld ? only : 'the host answers, but has no Hyper-V')
}

/** The service that manages machines; undefined where the host does not have the namespace. */
async function serviceIn(client: WsmanClient, namespace: string, patience: { readonly signal?: AbortSignal }) {
  try {
    const [service] = await client.queryReferences(SERVICE, { ...patience, namespace })
    return service
  } catch (error) {
    // Source: 2150858778 of hosts without the namespace, which the client tells from queries that make no sense.
    if (error instanceof WsmanFault && error.kind === 'not-found') return undefined
    throw error
  }
}
