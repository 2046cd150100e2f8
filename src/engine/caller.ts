/** Who calls. */
export interface Caller {
  /** Reference of the user; empty before a login. */
  readonly user: string
  /** Our own name of the session, never the secret; empty before a login. */
  readonly session: string
  readonly administrator: boolean
  /** Where the call came from: an IP address, or `local` for the Unix socket. */
  readonly address: string
}
