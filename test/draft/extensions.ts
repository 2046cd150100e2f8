import type { DraftField, DraftMessage } from './table.ts'

/** What the server has beyond the draft, each by name: an extension nobody meant makes a test fail. */

/** Fields that are not in the draft's tables. */
export const EXTENSION_FIELDS: Readonly<Record<string, readonly DraftField[]>> = {
  // Which host a VM belongs to before it runs; `resident_on` says it only while it does.
  VM: [
    ['RW', 'affinity', 'host ref'],
    ['RW', 'other_config', '(string -> string) Map'],
  ],
  // What `host.disable` and `host.enable` do can be read back.
  host: [
    ['RO_run', 'enabled', 'bool'],
    ['RO_run', 'uri', 'string'],
    ['RO_run', 'live', 'bool'],
    ['RW', 'other_config', '(string -> string) Map'],
  ],
  host_cpu: [['RW', 'other_config', '(string -> string) Map']],
  network: [['RW', 'other_config', '(string -> string) Map']],
  VIF: [
    ['RO_run', 'currently_attached', 'bool'],
    ['RW', 'other_config', '(string -> string) Map'],
  ],
  // Of several hosts with folders, clients must be able to say whose folder they mean.
  SR: [
    ['RO_run', 'host', 'host ref'],
    ['RW', 'other_config', '(string -> string) Map'],
  ],
  VDI: [
    ['RO_run', 'image_format', 'image_format'],
    ['RW', 'other_config', '(string -> string) Map'],
  ],
  VBD: [
    ['RO_ins', 'type', 'vbd_type'],
    ['RO_run', 'currently_attached', 'bool'],
    ['RW', 'other_config', '(string -> string) Map'],
  ],
  user: [['RW', 'other_config', '(string -> string) Map']],
}

/** Messages that are not in the draft's chapter 2. `VM.install` is named in §1.4.3 and never defined. */
export const EXTENSION_MESSAGES: Readonly<Record<string, readonly DraftMessage[]>> = {
  VM: [
    ['VM ref', 'install', ['VM ref', 'template'], ['string', 'new_name']],
    ['serial_output', 'read_serial', ['VM ref', 'vm'], ['int', 'position']],
    ['(string -> string) Map', 'list_consoles', ['VM ref', 'vm']],
  ],
  host: [
    ['host ref', 'add', ['string', 'uri']],
    ['void', 'remove', ['host ref', 'host']],
  ],
  SR: [['void', 'scan', ['SR ref', 'sr']]],
  VBD: [
    ['void', 'insert', ['VBD ref', 'vbd'], ['VDI ref', 'vdi']],
    ['void', 'eject', ['VBD ref', 'vbd']],
  ],
  task: [['void', 'cancel', ['task ref', 'task']]],
  user: [['void', 'change_password', ['user ref', 'user'], ['string', 'password']]],
}

/** §1.4.3 gives the struct a method of its own, which chapter 2 leaves out. */
export const MESSAGES_OF_CHAPTER_1: Readonly<Record<string, readonly DraftMessage[]>> = {
  task: [['task_status', 'GetStatus', ['task ref', 'task']]],
}

/** Fields that are RO_run in the draft and that a constructor takes all the same, for nothing else could choose them. */
export const CHOSEN_ONCE: readonly string[] = ['VM.VCPUs/number', 'SR.host', 'VDI.image_format']

/** Classes without the generated RPCs: §2.4.1 and §2.5.1 give them no fields, and no reference to pass. */
export const WITHOUT_OBJECTS: ReadonlySet<string> = new Set(['session', 'task'])

/** Classes whose objects come and go with a hypervisor, so that clients neither construct nor delete them. */
export const MADE_BY_HOSTS: ReadonlySet<string> = new Set(['host', 'host_cpu'])
