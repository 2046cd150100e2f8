import {
  type CallOptions,
  type EndpointReference,
  httpTransport,
  TargetError,
  type Transport,
  WsmanClient,
  WsmanFault,
  type WsmanTarget,
} from '../../protocols/wsman/index.ts'
import { DriverError } from '../driver.ts'
import type { BackEnd } from './back-end.ts'
import { toDriverError } from './gate.ts'
import { type HostFacts, readHostFacts } from './host-facts.ts'
import type { NamespaceName } from './namespace-name.ts'
import { type Namespace, NAMESPACES } from './namespaces.ts'
import type { NetworkBackEnd } from './network-back-end.ts'

/** A host that has answered, through one of the namespaces that it has. */
export interface Connection {
  readonly backEnd: BackEnd & NetworkBackEnd
  readonly facts: HostFacts
  readonly client: WsmanClient
}

const SERVICE = 'Msvm_VirtualSystemManagementService'

/**
 * Connects to a host, and finds out what it has; through one of its namespaces if that is demanded, else the newer one
 * that it has. Rejects with DriverError; then nothing is left open.
 */
export async function openConnection(
  target: WsmanTarget,
  demanded: NamespaceName | undefined,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const transport = transportOf(target)
  try {
    return await explore(transport, demanded, signal === undefined ? {} : { signal })
  } catch (error) {
    transport.close()
    throw toDriverError(error)
  }
}

function transportOf(target: WsmanTarget): Transport {
  try {
    return httpTransport(target)
  } catch (error) {
    if (error instanceof TargetError) throw new DriverError('refused', error.message, { cause: error })
    throw error
  }
}

async function explore(
  transport: Transport,
  demanded: NamespaceName | undefined,
  patience: CallOptions,
): Promise<Connection> {
  const candidates = NAMESPACES.filter(({ name }) => demanded === undefined || name === demanded)
  for (const namespace of candidates) {
    const client = new WsmanClient(transport, { namespace: namespace.path })
    const service = await serviceOf(client, patience)
    if (service !== undefined) return connectThrough(namespace, client, service, patience)
  }
  const [only] = candidates
  const what = demanded === undefined || only === undefined ? 'no Hyper-V' : `no ${only.title}`
  throw new DriverError('refused', `the host answers, but has ${what}`)
}

async function connectThrough(
  { name, path, backEnd }: Namespace,
  client: WsmanClient,
  service: EndpointReference,
  patience: CallOptions,
): Promise<Connection> {
  const facts = await readHostFacts(client, name, patience)
  return { backEnd: backEnd({ client, namespace: path, service, build: facts.build }), facts, client }
}

/** The service that manages machines; undefined where the host does not have the namespace. */
async function serviceOf(client: WsmanClient, patience: CallOptions): Promise<EndpointReference | undefined> {
  try {
    const [service] = await client.queryReferences(SERVICE, patience)
    return service
  } catch (error) {
    // Source: 2150858778 of hosts without the namespace, which the client tells from queries that make no sense.
    if (error instanceof WsmanFault && error.kind === 'not-found') return undefined
    throw error
  }
}
