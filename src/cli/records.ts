import { ApiError, type Classes, type Ref, type VisibleRecordOf, type XenApiClient } from '../client/index.ts'

/** Calls under way at once. */
const FETCHES_MAX = 8

/** A class whose objects can be listed. */
type Listed = Exclude<keyof Classes, 'session' | 'task'>

/** Every object of a class, with all its fields. */
export async function allRecords<N extends Listed>(
  client: XenApiClient,
  of: N,
): Promise<ReadonlyArray<VisibleRecordOf<Classes[N]>>> {
  return await recordsOf(client, of, await client[of].get_all())
}

/** Objects of a class, with all their fields, in order; one that has gone in the meantime is left out. */
export async function recordsOf<N extends Listed>(
  client: XenApiClient,
  of: N,
  refs: readonly string[],
): Promise<ReadonlyArray<VisibleRecordOf<Classes[N]>>> {
  const found: (VisibleRecordOf<Classes[N]> | undefined)[] = []
  const queue = refs.entries()
  const work = async () => {
    for (const [index, ref] of queue) found[index] = await recordIfThere(client, of, ref)
  }
  await Promise.all(Array.from({ length: Math.min(FETCHES_MAX, refs.length) }, work))
  return found.filter(record => record !== undefined)
}

async function recordIfThere<N extends Listed>(client: XenApiClient, of: N, ref: Ref<N>) {
  try {
    return await client.record(of, ref)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'HANDLE_INVALID') return undefined
    throw error
  }
}

/** The names of objects, by reference, for the tables of those that refer to them. */
export async function namesOf(
  client: XenApiClient,
  of: 'VM' | 'host' | 'SR' | 'VDI' | 'network',
): Promise<ReadonlyMap<string, string>> {
  const refs: readonly string[] = await client[of].get_all()
  const records = await recordsOf(client, of, refs)
  return new Map(records.map(record => [record.uuid, record.name_label]))
}
