import { defineClass, internal } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'

/** A password's hash, apart from its user. Known to no client. */
export const credential = defineClass({
  name: 'credential',
  doc: 'the hash of a password',
  source: 'ours',
  objects: 'none',
  fields: {
    uuid: internal(t.string, 'The UUID of the user it belongs to.'),
    hash: internal(t.string, 'argon2id in PHC string form.'),
  },
  messages: {},
})
