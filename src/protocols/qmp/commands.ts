import {
  type CpuThread,
  decodeBalloon,
  decodeCpus,
  decodeDirtyRate,
  decodeDrives,
  type DirtyRateInfo,
  type DriveCounters,
} from './counters.ts'
import {
  arrayMember,
  booleanMember,
  integerMember,
  isJsonObject,
  JsonShapeError,
  stringMember,
  toJsonObject,
} from './json.ts'

/** Answer of `query-status`. Source: QEMU qapi/run-state.json, StatusInfo. */
export interface StatusInfo {
  /** A RunState; open, since newer versions of QEMU add to them. */
  readonly status: string
  readonly running: boolean
}

/** Answer of `query-version`. Source: QEMU qapi/control.json, VersionInfo. */
export interface VersionInfo {
  readonly major: number
  readonly minor: number
  readonly micro: number
  /** What the distribution adds, such as `Debian 1:7.2+dfsg-7`; may be empty. */
  readonly package: string
}

/** A drive in the answer of `query-block`. Source: QEMU qapi/block-core.json, BlockInfo. */
export interface BlockInfo {
  /** The id of the device that has the drive, or a path where it has none; empty for a drive of no device. */
  readonly device: string
  /** The block node of what lies in it; null for nothing. */
  readonly node: string | null
  /** The file of that node, as it was named when it was opened; empty for nothing. */
  readonly file: string
  readonly isReadOnly: boolean
  /** Whether it could not be read or written when that was last tried; `nospace` where the host had no room. */
  readonly status: 'ok' | 'failed' | 'nospace'
}

/** A block node in the answer of `query-named-block-nodes`. Source: QEMU qapi/block-core.json, BlockDeviceInfo. */
export interface BlockNode {
  readonly name: string
  /** `file`, `qcow2`, `raw` and others. */
  readonly driver: string
  /** As in BlockInfo. */
  readonly file: string
}

/** A character device. Source: QEMU qapi/char.json, ChardevInfo. */
export interface CharDevice {
  readonly label: string
  /** What it is connected to, such as `pty:/dev/pts/3`. */
  readonly filename: string
  /** Whether somebody in the guest has opened the device that it is of; true where that cannot be told. */
  readonly isOpen: boolean
}

/**
 * The commands that are spoken: what each takes and what it answers.
 * Source: QEMU qapi/control.json, qapi/misc.json, qapi/run-state.json, qapi/machine.json,
 * qapi/qdev.json, qapi/net.json, qapi/block-core.json, qapi/block.json, qapi/machine-target.json, qapi/char.json, qapi/ui.json,
 * qapi/qom.json.
 */
export interface QmpCommands {
  readonly qmp_capabilities: { arguments: { readonly enable?: readonly string[] }; returns: void }
  readonly 'query-version': { arguments: NoArguments; returns: VersionInfo }
  readonly 'query-status': { arguments: NoArguments; returns: StatusInfo }
  readonly 'query-uuid': { arguments: NoArguments; returns: string }
  /** Whether KVM executes the guest. */
  readonly 'query-kvm': { arguments: NoArguments; returns: boolean }
  /** In bytes; refused with class `DeviceNotActive` where the machine has no balloon. */
  readonly 'query-balloon': { arguments: NoArguments; returns: number }
  readonly 'query-cpus-fast': { arguments: NoArguments; returns: readonly CpuThread[] }
  readonly 'query-blockstats': { arguments: NoArguments; returns: readonly DriveCounters[] }
  readonly 'query-dirty-rate': { arguments: NoArguments; returns: DirtyRateInfo }
  readonly stop: { arguments: NoArguments; returns: void }
  readonly cont: { arguments: NoArguments; returns: void }
  readonly system_powerdown: { arguments: NoArguments; returns: void }
  readonly system_reset: { arguments: NoArguments; returns: void }
  /** What QEMU does by itself from now on; what is absent stays. */
  readonly 'set-action': { arguments: SetAction; returns: void }
  /** Sends the guest's memory and state to `uri`; how far it is, `query-migrate` tells. */
  readonly migrate: { arguments: { readonly uri: string }; returns: void }
  readonly 'migrate-incoming': { arguments: { readonly uri: string }; returns: void }
  readonly migrate_cancel: { arguments: NoArguments; returns: void }
  readonly 'migrate-set-parameters': { arguments: { readonly 'max-bandwidth'?: number }; returns: void }
  readonly 'query-migrate': { arguments: NoArguments; returns: MigrationInfo }
  /** Writes the guest's memory to a file as an ELF core; `detach` answers at once. */
  readonly 'dump-guest-memory': {
    arguments: { readonly paging?: boolean; readonly protocol?: string; readonly detach?: boolean }
    returns: void
  }
  readonly 'query-dump': { arguments: NoArguments; returns: DumpInfo }
  /** A command of the monitor for people, and its answer; where there is no other way. */
  readonly 'human-monitor-command': { arguments: { readonly 'command-line': string }; returns: string }
  readonly quit: { arguments: NoArguments; returns: void }
  readonly device_add: { arguments: Properties; returns: void }
  readonly device_del: { arguments: { readonly id?: string }; returns: void }
  readonly 'blockdev-add': { arguments: Properties; returns: void }
  readonly 'blockdev-del': { arguments: { readonly 'node-name'?: string }; returns: void }
  readonly 'blockdev-open-tray': { arguments: { readonly id?: string; readonly force?: boolean }; returns: void }
  readonly 'blockdev-close-tray': { arguments: { readonly id?: string }; returns: void }
  readonly 'blockdev-remove-medium': { arguments: { readonly id?: string }; returns: void }
  readonly 'blockdev-insert-medium': {
    arguments: { readonly id?: string; readonly 'node-name'?: string }
    returns: void
  }
  readonly 'query-block': { arguments: NoArguments; returns: readonly BlockInfo[] }
  readonly 'query-named-block-nodes': { arguments: { readonly flat?: boolean }; returns: readonly BlockNode[] }
  /** Lets the users of a node go on in an image above it. */
  readonly 'blockdev-snapshot-sync': { arguments: SnapshotSync; returns: void }
  /** Begins to keep disks and memory of the guest by a job; disks in snapshots within them, memory in that of `vmstate`. */
  readonly 'snapshot-save': { arguments: SnapshotSave; returns: void }
  readonly 'query-jobs': { arguments: NoArguments; returns: readonly JobInfo[] }
  /** Forgets a job that is over. */
  readonly 'job-dismiss': { arguments: { readonly id?: string }; returns: void }
  /** Forgets a snapshot within an image; `device` may be the name of a node. */
  readonly 'blockdev-snapshot-delete-internal-sync': {
    arguments: { readonly device?: string; readonly name?: string }
    returns: void
  }
  /** Opens nodes anew with other options; what is left out goes back to its default. */
  readonly 'blockdev-reopen': { arguments: { readonly options?: readonly Properties[] }; returns: void }
  /** Grows an image, in bytes, under the guest's eyes. */
  readonly block_resize: { arguments: { readonly 'node-name'?: string; readonly size?: number }; returns: void }
  /** Limits how fast the guest uses what is in a drive, by the device that has it; 0 is no limit. */
  readonly block_set_io_throttle: { arguments: Properties; returns: void }
  /** Interrupts the guest so that it cannot put it off. */
  readonly 'inject-nmi': { arguments: NoArguments; returns: void }
  readonly netdev_add: { arguments: Properties; returns: void }
  readonly netdev_del: { arguments: { readonly id?: string }; returns: void }
  /** Whether the guest sees a carrier; by the name of the device or of what it is connected to. */
  readonly set_link: { arguments: { readonly name?: string; readonly up?: boolean }; returns: void }
  /** The flags that a CPU model has, as a static expansion names them. */
  readonly 'query-cpu-model-expansion': {
    arguments: { readonly type?: 'static'; readonly model?: { readonly name: string } }
    returns: readonly string[]
  }
  /** Writes what a display shows to a file, as a picture of Netpbm. */
  readonly screendump: { arguments: { readonly filename?: string }; returns: void }
  /** Presses keys, one after another, and lets go of them the last first, with so many milliseconds between any two. */
  readonly 'send-key': { arguments: SendKey; returns: void }
  /** Lets the guest have no more ticks that its clock has missed, for one whose clock was set. */
  readonly 'rtc-reset-reinjection': { arguments: NoArguments; returns: void }
  readonly 'query-chardev': { arguments: NoArguments; returns: readonly CharDevice[] }
  /** A property of an object, which may be anything. */
  readonly 'qom-get': { arguments: { readonly path?: string; readonly property?: string }; returns: unknown }
  readonly 'qom-set': {
    arguments: { readonly path?: string; readonly property?: string; readonly value?: unknown }
    returns: void
  }
  /** In bytes; a balloon makes the guest smaller than its memory. */
  readonly balloon: { arguments: { readonly value?: number }; returns: void }
}

/** Arguments of `blockdev-snapshot-sync`. Source: QEMU qapi/block-core.json, BlockdevSnapshotSync. */
export interface SnapshotSync {
  readonly 'node-name'?: string
  readonly 'snapshot-file'?: string
  readonly 'snapshot-node-name'?: string
  readonly format?: string
  /** `existing`: the file is there and names what is below it. */
  readonly mode?: 'existing' | 'absolute-paths'
}

/** Arguments of `send-key`. Source: QEMU qapi/ui.json, KeyValue; its QKeyCode is open, since newer versions add to them. */
export interface SendKey {
  readonly keys?: readonly { readonly type: 'qcode'; readonly data: string }[]
  readonly 'hold-time'?: number
}

/** Arguments of `snapshot-save`. Source: QEMU qapi/migration.json. */
export interface SnapshotSave {
  readonly 'job-id'?: string
  /** The name of the snapshot in each image. */
  readonly tag?: string
  /** The block node that the memory goes to; one of `devices`. */
  readonly vmstate?: string
  readonly devices?: readonly string[]
}

/** A job in the answer of `query-jobs`. Source: QEMU qapi/job.json, JobInfo. */
export interface JobInfo {
  readonly id: string
  /** A JobStatus; `concluded` when it is over. */
  readonly status: string
  /** Why it failed; absent where it did not. */
  readonly error?: string
}

/** Answer of `query-dump`. Source: QEMU qapi/dump.json, DumpQueryResult. */
export interface DumpInfo {
  /** A DumpStatus. */
  readonly status: string
  /** Bytes that are written, and bytes in all. */
  readonly completed: number
  readonly total: number
}

/** Answer of `query-migrate`. Source: QEMU qapi/migration.json, MigrationInfo. */
export interface MigrationInfo {
  /** A MigrationStatus; open, since newer versions of QEMU add to them. Absent before the first migration. */
  readonly status?: string
  /** Why it failed. */
  readonly errorDesc?: string
  /** Absent where it is not known yet, and at the receiving end. In bytes. */
  readonly ram?: { readonly total: number; readonly remaining: number; readonly passes: number }
}

/** Arguments of `set-action`. Source: QEMU qapi/run-state.json. */
export interface SetAction {
  readonly reboot?: 'reset' | 'shutdown'
  readonly shutdown?: 'poweroff' | 'pause'
  readonly panic?: 'pause' | 'shutdown' | 'exit-failure' | 'none'
}

/** A device's or block node's properties, whose names depend on what it is. */
type Properties = Readonly<Record<string, unknown>>

type NoArguments = Readonly<Record<string, never>>

/** The name of a command that is spoken. */
export type QmpCommand = keyof QmpCommands

const nothing = (): void => undefined

/** Reads the answer of each command. Throws JsonShapeError. */
export const decodeAnswer: { readonly [C in QmpCommand]: (answer: unknown) => QmpCommands[C]['returns'] } = {
  qmp_capabilities: nothing,
  'query-version': decodeVersion,
  'query-status': answer => {
    const info = toJsonObject(answer, 'the status')
    return { status: stringMember(info, 'status'), running: booleanMember(info, 'running') }
  },
  'query-uuid': answer => stringMember(toJsonObject(answer, 'the answer'), 'UUID').toLowerCase(),
  'query-kvm': answer => booleanMember(toJsonObject(answer, 'the answer'), 'enabled'),
  'query-balloon': decodeBalloon,
  'query-cpus-fast': decodeCpus,
  'query-blockstats': decodeDrives,
  'query-dirty-rate': decodeDirtyRate,
  stop: nothing,
  cont: nothing,
  system_powerdown: nothing,
  system_reset: nothing,
  'set-action': nothing,
  migrate: nothing,
  'migrate-incoming': nothing,
  migrate_cancel: nothing,
  'migrate-set-parameters': nothing,
  'query-migrate': decodeMigration,
  'dump-guest-memory': nothing,
  'query-dump': answer => {
    const info = toJsonObject(answer, 'the dump')
    return {
      status: stringMember(info, 'status'),
      completed: integerMember(info, 'completed'),
      total: integerMember(info, 'total'),
    }
  },
  'human-monitor-command': answer => textOf(answer, 'the monitor'),
  quit: nothing,
  device_add: nothing,
  device_del: nothing,
  'blockdev-add': nothing,
  'blockdev-del': nothing,
  'blockdev-open-tray': nothing,
  'blockdev-close-tray': nothing,
  'blockdev-remove-medium': nothing,
  'blockdev-insert-medium': nothing,
  'query-block': answer => toArray(answer, 'the drives').map(decodeBlockInfo),
  'query-named-block-nodes': answer =>
    toArray(answer, 'the nodes').map(value => {
      const node = toJsonObject(value, 'a node')
      return {
        name: stringMember(node, 'node-name'),
        driver: stringMember(node, 'drv'),
        file: stringMember(node, 'file'),
      }
    }),
  'blockdev-snapshot-sync': nothing,
  'snapshot-save': nothing,
  'query-jobs': answer => toArray(answer, 'the jobs').map(decodeJob),
  'job-dismiss': nothing,
  'blockdev-snapshot-delete-internal-sync': nothing,
  'blockdev-reopen': nothing,
  block_resize: nothing,
  block_set_io_throttle: nothing,
  'inject-nmi': nothing,
  'rtc-reset-reinjection': nothing,
  netdev_add: nothing,
  netdev_del: nothing,
  set_link: nothing,
  'query-cpu-model-expansion': answer => {
    const model = toJsonObject(toJsonObject(answer, 'the answer')['model'], 'the model')
    const properties = Object.entries(toJsonObject(model['props'], 'the properties'))
    return properties.filter(([, value]) => value === true).map(([name]) => name)
  },
  screendump: nothing,
  'send-key': nothing,
  'query-chardev': answer => toArray(answer, 'the character devices').map(decodeCharDevice),
  'qom-get': answer => answer,
  'qom-set': nothing,
  balloon: nothing,
}

function decodeJob(value: unknown): JobInfo {
  const job = toJsonObject(value, 'a job')
  const [id, status] = [stringMember(job, 'id'), stringMember(job, 'status')]
  return { id, status, ...('error' in job && { error: stringMember(job, 'error') }) }
}

function decodeMigration(answer: unknown): MigrationInfo {
  const info = toJsonObject(answer, 'the migration')
  const ram = isJsonObject(info['ram']) ? info['ram'] : undefined
  return {
    ...('status' in info && { status: stringMember(info, 'status') }),
    ...('error-desc' in info && { errorDesc: stringMember(info, 'error-desc') }),
    ...(ram && {
      ram: {
        total: integerMember(ram, 'total'),
        remaining: integerMember(ram, 'remaining'),
        passes: integerMember(ram, 'dirty-sync-count'),
      },
    }),
  }
}

function textOf(answer: unknown, what: string): string {
  if (typeof answer !== 'string') throw new JsonShapeError(`the answer of ${what} is no string`)
  return answer
}

function decodeCharDevice(value: unknown): CharDevice {
  const object = toJsonObject(value, 'a character device')
  return {
    label: stringMember(object, 'label'),
    filename: stringMember(object, 'filename'),
    isOpen: booleanMember(object, 'frontend-open'),
  }
}

function decodeBlockInfo(value: unknown): BlockInfo {
  const { qdev, inserted, 'io-status': said } = toJsonObject(value, 'a drive')
  const device = typeof qdev === 'string' ? qdev : ''
  const status = said === 'failed' || said === 'nospace' ? said : 'ok'
  if (!isJsonObject(inserted)) return { device, node: null, file: '', isReadOnly: false, status }
  const [node, file] = [stringMember(inserted, 'node-name'), stringMember(inserted, 'file')]
  return { device, node, file, isReadOnly: booleanMember(inserted, 'ro'), status }
}

const toArray = (value: unknown, what: string): readonly unknown[] => arrayMember({ [what]: value }, what)

/** Reads a VersionInfo, as the greeting carries it too. Throws JsonShapeError. */
export function decodeVersion(answer: unknown): VersionInfo {
  const info = toJsonObject(answer, 'the version')
  const qemu = toJsonObject(info['qemu'], 'qemu')
  return {
    major: integerMember(qemu, 'major'),
    minor: integerMember(qemu, 'minor'),
    micro: integerMember(qemu, 'micro'),
    package: stringMember(info, 'package'),
  }
}

/** What QEMU says first on a connection. Source: QEMU docs/interop/qmp-spec, "Server Greeting". */
export interface QmpGreeting {
  readonly version: VersionInfo
  readonly capabilities: readonly string[]
}

/** Reads a greeting. Throws JsonShapeError where the message is none. */
export function decodeGreeting(message: unknown): QmpGreeting {
  const greeting = toJsonObject(toJsonObject(message, 'the greeting')['QMP'], 'QMP')
  const capabilities = arrayMember(greeting, 'capabilities').filter(name => typeof name === 'string')
  return { version: decodeVersion(greeting['version']), capabilities }
}

/** Something QEMU tells unasked. Source: QEMU docs/interop/qmp-spec, "Asynchronous events". */
export interface QmpEvent {
  /** The kind, such as `STOP`; open, since there are many. */
  readonly event: string
  /** Members by the kind; empty where it has none. */
  readonly data: Readonly<Record<string, unknown>>
  /** When, by QEMU's clock, in milliseconds since 1970. */
  readonly timestampMs: number
}

/** Reads an event. Throws JsonShapeError where the message is none. */
export function decodeEvent(message: unknown): QmpEvent {
  const object = toJsonObject(message, 'the event')
  const timestamp = toJsonObject(object['timestamp'], 'timestamp')
  return {
    event: stringMember(object, 'event'),
    data: isJsonObject(object['data']) ? object['data'] : {},
    timestampMs: integerMember(timestamp, 'seconds') * 1000 + integerMember(timestamp, 'microseconds') / 1000,
  }
}
