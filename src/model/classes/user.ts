import { defineClass, internal, message, roIns, roRun, rw } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'
import { otherConfig } from './other-config.ts'

/** A user of the system. Passwords are kept apart (`credential`). */
export const user = defineClass({
  name: 'user',
  doc: 'a user of the system',
  source: 'Xen Management API rev 0.2, §2.14',
  objects: 'client',
  errors: { create: ['OBJECT_NAME_TAKEN'] },
  adminOnly: true,
  fields: {
    uuid: roRun(t.string, 'unique identifier/object reference'),
    short_name: roIns(t.string, 'short name (e.g. userid)'),
    fullname: rw(t.string, 'full name'),
    other_config: otherConfig,
    administrator: internal(t.bool, 'Whether the user may manage users and hosts.'),
  },
  messages: {
    change_password: message({
      doc: 'Sets the password of a user: one’s own, or, for an administrator, anybody’s. Other sessions of that user end.',
      params: {
        user: [t.ref('user'), 'The user'],
        password: [t.string, 'The new password; not empty.', { secret: true }],
      },
      result: t.void,
      errors: ['PERMISSION_DENIED', 'INVALID_VALUE'],
      extension: true,
      immediate: true,
    }),
  },
})
