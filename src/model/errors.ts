import { defineErrors } from './kernel/error.ts'

/**
 * Every failure a client can receive: code, the names of its parameters, and what it means. Codes and parameters are
 * those of the released API wherever it has one for the case.
 */
export const errors = defineErrors({
  // What any call may answer.
  MESSAGE_METHOD_UNKNOWN: { params: ['method'], doc: 'No such message in this revision of the API.' },
  MESSAGE_PARAMETER_COUNT_MISMATCH: {
    params: ['method', 'expected', 'received'],
    doc: 'Too few or too many arguments. Both counts include the session.',
  },
  FIELD_TYPE_ERROR: { params: ['field'], doc: 'The argument or field has a value of the wrong type.' },
  SESSION_INVALID: {
    params: ['handle'],
    doc: 'The session is unknown, expired, or was logged out. The parameter is a digest, for the session itself is a secret.',
  },
  HANDLE_INVALID: { params: ['class', 'handle'], doc: 'The reference names no object of this class.' },
  UUID_INVALID: { params: ['type', 'uuid'], doc: 'No object of this class has this UUID.' },
  PERMISSION_DENIED: { params: ['message'], doc: 'The user may not call this message.' },
  OTHER_OPERATION_IN_PROGRESS: {
    params: ['class', 'object', 'operation_type', 'operation_ref'],
    doc: 'Too many calls are already waiting for this object.',
  },
  TOO_MANY_PENDING_TASKS: { params: [], doc: 'The user has as many tasks running as are allowed at once.' },
  INTERNAL_ERROR: {
    params: ['id'],
    doc: 'A fault of the server itself. The server log tells more under this id.',
  },
  STORE_FAILED: {
    params: ['reason'],
    doc: 'The change could not be made durable and was taken back; the disk may be full or broken.',
  },

  // Sessions.
  SESSION_AUTHENTICATION_FAILED: { params: [], doc: 'No such user, or not that user’s password.' },
  SESSION_LOGIN_RATE_LIMITED: {
    params: ['retry_after_seconds'],
    doc: 'Too many failed logins; try again after this many seconds.',
  },

  // Values.
  INVALID_VALUE: { params: ['field', 'value'], doc: 'The value has the right type but cannot be.' },
  VALUE_NOT_SUPPORTED: { params: ['field', 'value', 'reason'], doc: 'The value is valid and not supported here.' },
  PATH_NOT_ALLOWED: {
    params: ['field', 'path', 'allowed'],
    doc: 'The operator does not allow clients to name this file or folder; `allowed` lists the folders that are, separated by commas.',
  },
  FIELD_UNKNOWN: { params: ['class', 'field'], doc: 'The class has no such field.' },
  FIELD_READ_ONLY: {
    params: ['class', 'field'],
    doc: 'The field is computed at run time and cannot be chosen when the object is made.',
  },
  OBJECT_IN_USE: {
    params: ['class', 'object', 'users'],
    doc: 'Other objects refer to this one; `users` lists them as `class:uuid`, separated by commas.',
  },
  OBJECT_NAME_TAKEN: { params: ['class', 'name'], doc: 'Another object of this class has this name already.' },

  // VMs.
  VM_BAD_POWER_STATE: {
    params: ['vm', 'expected', 'actual'],
    doc: 'The VM is not in a power state that allows this message. `expected` is a comma-separated list.',
  },
  VM_IS_TEMPLATE: { params: ['vm'], doc: 'A template can be cloned but never started.' },
  VM_INCOMPATIBLE_WITH_THIS_HOST: {
    params: ['vm', 'host', 'reason'],
    doc: 'The host cannot offer what the VM requires, such as a feature of the CPU.',
  },
  HOST_NOT_ENOUGH_FREE_MEMORY: {
    params: ['needed', 'available'],
    doc: 'The VMs that run leave the host too little memory for this one, even if all give way to their dynamic minimum. Both in bytes.',
  },
  VM_SHUTDOWN_TIMEOUT: {
    params: ['vm', 'timeout'],
    doc: 'The guest was asked to shut down and did not within `timeout` seconds; it goes on running. hard_shutdown cuts its power.',
  },
  VM_NO_HOST: { params: ['vm'], doc: 'No host is connected that could run the VM.' },
  VM_DUPLICATE_VBD_DEVICE: {
    params: ['vm', 'vbd', 'device'],
    doc: 'The VM already has a disk under this device name.',
  },

  // Storage.
  VDI_IN_USE: { params: ['vdi', 'operation'], doc: 'A VM that is not Halted uses the image.' },
  VDI_TOO_SMALL: { params: ['vdi', 'minimum size'], doc: 'The image cannot be this small; sizes are in bytes.' },
  SR_UNKNOWN_DRIVER: { params: ['driver'], doc: 'No connected host knows this type of repository.' },

  // Hosts.
  HOST_DISABLED: { params: ['host'], doc: 'No VM can be started on the host until it is enabled.' },
  HOST_NOT_DISABLED: { params: [], doc: 'The host must be disabled first.' },
  HOST_HAS_RESIDENT_VMS: { params: ['host'], doc: 'VMs are still running on the host.' },
  HOST_OFFLINE: { params: ['host'], doc: 'The host does not answer.' },
  HOST_URI_INVALID: { params: ['uri', 'reason'], doc: 'The URI names no hypervisor that can be connected.' },
  OPERATION_NOT_ALLOWED: {
    params: ['reason'],
    doc: 'The operator’s configuration, or the object’s role, forbids this.',
  },

  // Tasks.
  TASK_INTERRUPTED: {
    params: ['task', 'method', 'undone'],
    doc: 'The server stopped while the task was running. `undone` says what of it was taken back, empty where nothing was to be; objects show what the host says now.',
  },
  TASK_CANCELLED: { params: ['task'], doc: 'The task was cancelled, and what it had done is taken back.' },

  // Drivers.
  DRIVER_UNSUPPORTED: { params: ['driver', 'operation'], doc: 'The hypervisor driver cannot do this at all.' },
  DRIVER_FAILED: { params: ['driver', 'operation', 'reason'], doc: 'The hypervisor refused or broke off.' },
})

/** A code of the error table. */
export type ErrorCode = keyof typeof errors.table

/** Makes an error of the table: `fail('VM_IS_TEMPLATE', { vm })`. */
export const { fail } = errors

/** What a host may answer where something is asked of it. */
export const hostErrors = [
  'HOST_OFFLINE',
  'DRIVER_UNSUPPORTED',
  'DRIVER_FAILED',
] as const satisfies readonly ErrorCode[]

/** What may keep a device from coming into a machine that is not Halted, or from leaving it. */
export const plugErrors = [
  'VM_BAD_POWER_STATE',
  'VM_DUPLICATE_VBD_DEVICE',
  'VDI_IN_USE',
  'VM_NO_HOST',
  ...hostErrors,
] as const satisfies readonly ErrorCode[]

/** What may keep an image from being made, moved, changed or deleted. */
export const imageErrors = [
  'VDI_IN_USE',
  'OPERATION_NOT_ALLOWED',
  ...hostErrors,
] as const satisfies readonly ErrorCode[]

/** What any call that takes a session may answer, besides its own errors. */
export const commonErrors = [
  'MESSAGE_PARAMETER_COUNT_MISMATCH',
  'FIELD_TYPE_ERROR',
  'SESSION_INVALID',
  'HANDLE_INVALID',
  'OTHER_OPERATION_IN_PROGRESS',
  'STORE_FAILED',
  'INTERNAL_ERROR',
] as const satisfies readonly ErrorCode[]
