import { defineClass, internal, message } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'

/** A login. Its reference on the wire is a secret; what is stored is the secret's digest. */
export const session = defineClass({
  name: 'session',
  doc: 'a session',
  source: 'Xen Management API rev 0.2, §2.4',
  objects: 'none',
  fields: {
    uuid: internal(t.string, 'Our own name of the session; never leaves the server.'),
    digest: internal(t.string, 'SHA-256 of the session reference, in hexadecimal.'),
    user: internal(t.ref('user'), 'Who logged in.'),
    created: internal(t.dateTime, 'When.'),
  },
  messages: {
    login_with_password: message({
      doc: 'Attempt to authenticate the user, returning a session_id if successful',
      params: {
        uname: [t.string, 'Username for login.'],
        pwd: [t.string, 'Password for login.', { secret: true }],
      },
      result: t.ref('session'),
      resultDoc: 'ID of newly created session',
      errors: ['SESSION_AUTHENTICATION_FAILED', 'SESSION_LOGIN_RATE_LIMITED'],
      withoutSession: true,
      immediate: true,
    }),
    logout: message({
      doc: 'Log out of a session',
      params: {},
      result: t.void,
      errors: [],
      immediate: true,
    }),
  },
})
