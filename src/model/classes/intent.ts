import { defineClass, internal } from '../kernel/define.ts'
import { t } from '../kernel/types.ts'

/**
 * Images that are about to be made, noted before they are: what a crash in between would leave behind is found by it
 * and deleted. Known to no client.
 */
export const intent = defineClass({
  name: 'intent',
  doc: 'images that are being made',
  source: 'ours',
  objects: 'none',
  fields: {
    uuid: internal(t.string, 'The reference.'),
    owner: internal(t.string, 'Which server process makes them.'),
    task: internal(t.string, 'The task that makes them; empty for a synchronous call.'),
    host: internal(t.string, 'The host on which they are made.'),
    type: internal(t.string, 'The type of their repository.'),
    location: internal(t.string, 'The location of their repository.'),
    names: internal(t.set(t.string), 'Their names.'),
    keeper: internal(t.string, 'The object, as `class:uuid`, whose presence says that they are to stay.'),
  },
  messages: {},
})
