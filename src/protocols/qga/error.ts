/**
 * `absent`: nobody listens on the socket. `time-out`: no answer in time; no agent runs in the guest, or it hangs.
 * `closed`: the connection ended. `garbage`: what came is not the agent's protocol, or too much. `refused`: the agent
 * answered with an error. `unable`: it does not know the command, or may not do it now.
 */
export type QgaFailure = 'absent' | 'time-out' | 'closed' | 'garbage' | 'refused' | 'unable'

/** The guest agent did not do what it was asked. */
export class QgaError extends Error {
  override readonly name = 'QgaError'
  readonly failure: QgaFailure

  constructor(failure: QgaFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.failure = failure
  }
}
