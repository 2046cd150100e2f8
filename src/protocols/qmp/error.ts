/**
 * QEMU answered a command with an error.
 * Source: QEMU docs/interop/qmp-spec, "error" responses; the classes are QapiErrorClass in qapi/error.json.
 */
export class QmpError extends Error {
  override readonly name = 'QmpError'
  /** QEMU's class of error, such as `GenericError` or `CommandNotFound`. */
  readonly class: string
  /** QEMU's own sentence. */
  readonly desc: string

  constructor(command: string, errorClass: string, desc: string) {
    super(`${command}: ${desc}`)
    this.class = errorClass
    this.desc = desc
  }
}

/**
 * `absent`: nobody listens on the socket. `time-out`: no answer in time, as when QEMU hangs or another client holds the
 * socket (QEMU serves one at a time). `closed`: the connection ended. `garbage`: what came is not QMP.
 * `overflow`: too many commands are waiting. `aborted`: the caller's signal.
 */
export type QmpFailure = 'absent' | 'time-out' | 'closed' | 'garbage' | 'overflow' | 'aborted'

/** A command got no answer, or a connection did not come about. */
export class QmpConnectionError extends Error {
  override readonly name = 'QmpConnectionError'
  readonly failure: QmpFailure

  constructor(failure: QmpFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}
