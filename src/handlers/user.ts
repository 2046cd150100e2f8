import { type Context, implement } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { credential, task, user } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'

/** Users. Whoever is made has no password, and so cannot log in, until change_password gives one. */
export const userHandlers = implement(
  user,
  {
    async change_password({ sessions, caller }, { user: ref, password }) {
      if (!caller.administrator && caller.user !== ref) {
        throw fail('PERMISSION_DENIED', { message: 'user.change_password' })
      }
      await sessions.setPassword(ref, password)
      await sessions.logoutUser(ref, caller.session)
      return null
    },
  },
  { create, delete: deleteUser },
)

async function create({ store }: Context, values: RecordOf<typeof user>): Promise<void> {
  const { short_name } = values
  // What stands in logs, command lines and rate-limit keys must be one plain word.
  if (!/^[\w.@-]{1,64}$/.test(short_name)) {
    throw fail('INVALID_VALUE', { field: 'short_name', value: short_name.slice(0, 100) })
  }
  await store.transact(transaction => {
    if (store.findBy(user, 'short_name', short_name).length > 0) {
      throw fail('OBJECT_NAME_TAKEN', { class: 'user', name: short_name })
    }
    transaction.insert(user, values)
  })
}

async function deleteUser({ store, sessions }: Context, ref: string): Promise<void> {
  const isAdministrator = (candidate: string) => store.get(user, candidate)?.administrator === true
  if (isAdministrator(ref) && store.all(user).filter(isAdministrator).length === 1) {
    throw fail('OPERATION_NOT_ALLOWED', { reason: 'the last administrator cannot be deleted' })
  }
  await sessions.logoutUser(ref)
  await store.transact(transaction => {
    for (const done of store.findBy(task, 'user', ref)) transaction.remove(task, done)
    transaction.remove(credential, ref)
    transaction.remove(user, ref)
  })
}
