import { defineClass, internal } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'

/** What is kept of a password, apart from its user. Known to no client. */
export const credential = defineClass({
  name: 'credential',
  doc: 'what is kept of a password',
  source: 'ours',
  objects: 'none',
  fields: {
    uuid: internal(t.string, 'The UUID of the user it belongs to.'),
    hash: internal(t.string, 'argon2id in PHC string form.'),
    scram: internal(t.string, 'The keys of SCRAM-SHA-256 as RFC 5803 writes them; empty where there are none.'),
  },
  messages: {},
})
