import { type CimInstance, type Wql, type WsmanClient, WsmanFault } from '../../../protocols/wsman/index.ts'

const CIMV2 = { namespace: 'root/cimv2' } as const

/** What asks a host. */
export type Asker = Pick<WsmanClient, 'query'>

/**
 * What a host counts. Classes of counters may be missing, or count less on older builds, as where Windows has lost its
 * registry of them; such a query finds nothing.
 */
export async function counters(client: Asker, query: Wql): Promise<readonly CimInstance[]> {
  try {
    return await client.query(query, CIMV2)
  } catch (error) {
    if (error instanceof WsmanFault && (error.kind === 'not-found' || error.kind === 'bad-filter')) return []
    throw error
  }
}
