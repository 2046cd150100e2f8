import { randomBytes, randomUUID } from 'node:crypto'
import { credential, user } from '../model/index.ts'
import { newRecord } from '../model/kernel/operations.ts'
import type { Services } from './context.ts'

/** The name of the first user, an administrator. */
export const FIRST_USER = 'root'

const RANDOM_PASSWORD_BYTES = 18

/**
 * Makes the first user where there is none that could log in. Without `password` a random one is chosen, and told to
 * `announce` before it counts: a crash in between leaves a password that is known and not yet valid, never the reverse.
 */
export async function ensureFirstUser(
  { store, sessions }: Pick<Services, 'store' | 'sessions'>,
  password: string | undefined,
  announce: (password: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const known = store.all(user).find(ref => store.get(user, ref)?.administrator === true)
  if (known !== undefined && store.get(credential, known) !== undefined) return
  const chosen = password ?? randomBytes(RANDOM_PASSWORD_BYTES).toString('base64url')
  if (password === undefined) await announce(chosen)
  const uuid = known ?? randomUUID()
  if (known === undefined) {
    const record = newRecord(user, { uuid, short_name: FIRST_USER, fullname: 'Administrator', administrator: true })
    await store.transact(transaction => transaction.insert(user, record))
  }
  await sessions.setPassword(uuid, chosen)
}
