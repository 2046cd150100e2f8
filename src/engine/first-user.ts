import { randomBytes, randomUUID } from 'node:crypto'
import { user } from '../model/index.ts'
import { newRecord } from '../model/kernel/operations.ts'
import type { Services } from './context.ts'

/** The name of the first user, an administrator. */
export const FIRST_USER = 'root'

const RANDOM_PASSWORD_BYTES = 18

/**
 * Makes the first user where there is none yet. Answers the password where a random one was chosen, for the operator
 * to be told; undefined where `password` was given or the user exists.
 */
export async function ensureFirstUser(
  { store, sessions }: Pick<Services, 'store' | 'sessions'>,
  password: string | undefined,
): Promise<string | undefined> {
  if (store.all(user).some(ref => store.get(user, ref)?.administrator === true)) return undefined
  const chosen = password ?? randomBytes(RANDOM_PASSWORD_BYTES).toString('base64url')
  const uuid = randomUUID()
  const record = newRecord(user, { uuid, short_name: FIRST_USER, fullname: 'Administrator', administrator: true })
  await store.transact(transaction => transaction.insert(user, record))
  await sessions.setPassword(uuid, chosen)
  return password === undefined ? chosen : undefined
}
