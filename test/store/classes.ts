import { type Class, defineClass, internal, type RecordOf, roIns, roRun, rw } from '../../src/model/kernel/define.ts'
import { t } from '../../src/model/kernel/types.ts'

/** What every class here has in common. */
const test = { doc: 'For tests.', source: 'These tests.', objects: 'client', messages: {} } as const

/** Bound to others in every way there is: one to many, many to many, one to one, and within its own class. */
export const Node = defineClass({
  ...test,
  name: 'node',
  fields: {
    uuid: roRun(t.string, 'Unique identifier.'),
    'name/label': rw(t.string, 'A name.'),
    ports: rw(t.set(t.ref('port')), 'One to many.', { boundTo: 'port.node' }),
    groups: rw(t.set(t.ref('group')), 'Many to many.', { boundTo: 'group.nodes' }),
    console: rw(t.ref('console'), 'One to one.', { boundTo: 'console.node' }),
    parent: rw(t.ref('node'), 'One to many, within the class.', { boundTo: 'node.children' }),
    children: rw(t.set(t.ref('node')), 'The other end.', { boundTo: 'node.parent' }),
    friends: rw(t.set(t.ref('node')), 'Many to many, with itself.', { boundTo: 'node.friends' }),
    spouse: rw(t.ref('node'), 'One to one, with itself.', { boundTo: 'node.spouse' }),
    'state/owner': roRun(t.ref('group'), 'Not bound.'),
    watchers: rw(t.set(t.ref('console')), 'Not bound.'),
  },
})

export const Port = defineClass({
  ...test,
  name: 'port',
  fields: {
    uuid: roRun(t.string, 'Unique identifier.'),
    node: rw(t.ref('node'), 'One to many.', { boundTo: 'node.ports' }),
  },
})

export const Group = defineClass({
  ...test,
  name: 'group',
  fields: {
    uuid: roRun(t.string, 'Unique identifier.'),
    nodes: rw(t.set(t.ref('node')), 'Many to many.', { boundTo: 'node.groups' }),
  },
})

export const Console = defineClass({
  ...test,
  name: 'console',
  fields: {
    uuid: roRun(t.string, 'Unique identifier.'),
    node: rw(t.ref('node'), 'One to one.', { boundTo: 'node.console' }),
  },
})

/** A field of every type and qualifier. */
export const Everything = defineClass({
  ...test,
  name: 'everything',
  fields: {
    uuid: roRun(t.string, 'Unique identifier.'),
    text: rw(t.string, 'A string.'),
    count: roIns(t.int, 'An int.', { default: 7n }),
    share: roRun(t.float, 'A float.'),
    flag: rw(t.bool, 'A bool.'),
    'at/last': roRun(t.dateTime, 'A time.'),
    colour: rw(t.enum('colour', { red: 'Red.', green: 'Green.' }), 'An enumeration.'),
    words: rw(t.set(t.string), 'A set.'),
    times: rw(t.set(t.dateTime), 'A set of values that are objects in memory.'),
    loads: roRun(t.map(t.int, t.float), 'A map.'),
    lists: internal(t.map(t.string, t.set(t.int)), 'A map of sets.'),
    answer: internal(t.open('answer'), 'Anything.', { default: '' }),
  },
})

export const classes: readonly Class[] = [Node, Port, Group, Console, Everything]

export const node = (uuid: string, more: Partial<RecordOf<typeof Node>> = {}): RecordOf<typeof Node> => ({
  uuid,
  name_label: '',
  ports: [],
  groups: [],
  console: '',
  parent: '',
  children: [],
  friends: [],
  spouse: '',
  state_owner: '',
  watchers: [],
  ...more,
})

export const everything = (
  uuid: string,
  more: Partial<RecordOf<typeof Everything>> = {},
): RecordOf<typeof Everything> => ({
  uuid,
  text: '',
  count: 7n,
  share: 0,
  flag: false,
  at_last: new Date(0),
  colour: 'red',
  words: [],
  times: [],
  loads: new Map(),
  lists: new Map(),
  answer: '',
  ...more,
})
