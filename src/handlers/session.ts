import { implement } from '../engine/context.ts'
import { session } from '../model/index.ts'

/** Logging in and out. */
export const sessionHandlers = implement(session, {
  login_with_password: ({ sessions, caller }, { uname, pwd }) => sessions.login(uname, pwd, caller.address),

  async logout({ sessions, caller }) {
    await sessions.logout(caller.session)
    return null
  },
})
