import { TransportError } from '../client/index.ts'
import { type ErrorCode, errors } from '../model/errors.ts'
import { ApiError, type ErrorDeclaration } from '../model/kernel/error.ts'
import { safeText } from './table.ts'

/** How the process ends. */
export const EXIT = { ok: 0, failure: 1, usage: 2, interrupted: 130 } as const

/** A failure that a command found out by itself: a sentence, further lines, and what to do about it. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly hint: string | undefined
  readonly details: readonly string[]

  constructor(message: string, more: { readonly hint?: string; readonly details?: readonly string[] } = {}) {
    super(message)
    this.hint = more.hint
    this.details = more.details ?? []
  }
}

/** The command line cannot be understood. */
export class UsageError extends Failure {}

/** The user pressed Ctrl-C; the message says what goes on all the same. */
export class Interrupted extends Failure {}

/** What is told of a failure, line by line, and how the process ends. */
export interface Report {
  readonly lines: readonly string[]
  readonly code: number
}

/** What to tell of anything that was thrown. Stacks are shown with `isDebugging` only. */
export function reportOf(error: unknown, isDebugging: boolean): Report {
  const lines = linesOf(error).map(safeText)
  if (isDebugging && error instanceof Error) lines.push(error.stack ?? String(error))
  const code = error instanceof UsageError ? EXIT.usage : error instanceof Interrupted ? EXIT.interrupted : EXIT.failure
  return { lines, code }
}

/** Failures of the server's own start have this name; the class is in a room that this one does not see. */
const CONFIGURATION = 'ConfigurationError'

function linesOf(error: unknown): string[] {
  if (error instanceof Interrupted) return [error.message, ...hintLines(error.hint)]
  if (error instanceof Failure) return [`error: ${error.message}`, ...error.details, ...hintLines(error.hint)]
  if (error instanceof ApiError) return [`error: ${error.code}: ${apiSentence(error)}`, ...hintLines(hintOf(error))]
  if (error instanceof TransportError) return [`error: ${error.message}`, ...hintLines(TRANSPORT_HINTS[error.kind])]
  if (error instanceof Error && error.name === CONFIGURATION) return [`error: ${error.message}`]
  const shown = error instanceof Error ? error.message : String(error)
  return [`error: ${shown}`, ...hintLines('set POLYVISOR_DEBUG=1 to see where this comes from')]
}

const hintLines = (hint: string | undefined): string[] => (hint === undefined ? [] : [`hint: ${hint}`])

const table: Readonly<Record<string, ErrorDeclaration>> = errors.table

/** The sentence of the error table, and the parameters of this case. */
export function apiSentence({ code, params }: ApiError): string {
  const declared = Object.hasOwn(table, code) ? table[code] : undefined
  const shown = params.map((value, index) => `${declared?.params[index] ?? index + 1}=${value}`).join(', ')
  const doc = declared?.doc ?? 'The server knows an error that this client does not.'
  return shown === '' ? doc : `${doc} (${shown})`
}

function hintOf({ code, params }: ApiError): string | undefined {
  const [field = '', value = ''] = params
  if (code === 'VM_BAD_POWER_STATE') return STATE_HINTS[params[2] ?? '']
  if (code === 'INVALID_VALUE' && PATH_FIELDS.has(field) && !value.startsWith('/'))
    return 'give the whole path, from / on'
  return API_HINTS[code]
}

/** Fields that hold the path of a file or folder on the host. */
const PATH_FIELDS: ReadonlySet<string> = new Set(['kernel_kernel', 'kernel_initrd', 'location'])

/** By the state that the VM is in. */
const STATE_HINTS: Readonly<Record<string, string>> = {
  Suspended:
    'bring it back with: polyvisor vm resume VM, or drop what it has in memory with: polyvisor vm hard-shutdown VM',
  Paused: 'let it go on with: polyvisor vm unpause VM',
  ShuttingDown: 'wait: its guest was asked to shut down, and the VM is Running again if it does not',
}

const API_HINTS: Readonly<Record<string, string>> = {
  SESSION_AUTHENTICATION_FAILED:
    'after the first start, the password of root is in initial-password in the data directory',
  SESSION_INVALID: 'log in again with: polyvisor login',
  PERMISSION_DENIED: 'an administrator may; choose one with --user',
  VM_SHUTDOWN_TIMEOUT: 'cut its power with: polyvisor vm hard-shutdown VM',
  VM_NO_HOST: 'connect a host with: polyvisor host add URI',
  VM_IS_TEMPLATE: 'make a VM of it with: polyvisor vm install TEMPLATE NAME',
  HOST_DISABLED: 'enable it with: polyvisor host enable HOST',
  HOST_NOT_DISABLED: 'disable it with: polyvisor host disable HOST',
  HOST_OFFLINE: 'see which hosts answer with: polyvisor host list',
  TOO_MANY_PENDING_TASKS: 'see what is running with: polyvisor task list',
  INTERNAL_ERROR: 'the log of the server says more under this id',
} satisfies Partial<Record<ErrorCode, string>>

const TRANSPORT_HINTS: Readonly<Partial<Record<TransportError['kind'], string>>> = {
  certificate: 'trust the server with --cacert DATA/tls/self-signed.crt, or with --fingerprint SHA256',
  broken: 'whether the call took effect is unknown; look before you try again',
  timeout: 'whether the call took effect is unknown; look before you try again',
}
