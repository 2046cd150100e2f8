/** What the server has beyond the draft, each by name: an extension nobody meant makes a test fail. */

/** Fields that are not in the draft's tables. */
export const EXTENSION_FIELDS: readonly string[] = [
  'VM.affinity', // Which host a VM belongs to before it runs; `resident_on` says it only while it does.
  'host.enabled', // What `host.disable` and `host.enable` do can be read back.
  'host.uri',
  'host.live',
  'VDI.image_format',
]

/** Messages that are not in the draft's chapter 2. */
export const EXTENSION_MESSAGES: readonly string[] = [
  'VM.install', // Named in §1.4.3 and never defined.
  'VM.read_serial',
  'host.add',
  'host.remove',
  'SR.scan',
  'user.change_password',
]

/** §1.4.3 gives the struct a method of its own, which chapter 2 leaves out. */
export const MESSAGES_OF_CHAPTER_1: readonly string[] = ['task.GetStatus']

/** Fields that are RO_run in the draft and that a constructor takes all the same, for nothing else could choose them. */
export const CHOSEN_ONCE: readonly string[] = ['VM.VCPUs/number']

/** Classes without the generated RPCs: §2.4.1 and §2.5.1 give them no fields, and no reference to pass. */
export const WITHOUT_OBJECTS: ReadonlySet<string> = new Set(['session', 'task'])

/** Classes whose objects come and go with a hypervisor, so that clients neither construct nor delete them. */
export const MADE_BY_HOSTS: ReadonlySet<string> = new Set(['host', 'host_cpu'])
