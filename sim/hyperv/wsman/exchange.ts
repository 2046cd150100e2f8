/** What the HTTP front has made of a request before the WS-Management face sees it: authenticated and in the clear. */
export interface WsmanRequest {
  /** The envelope as UTF-8, decrypted; UTF-16 was converted. */
  readonly envelope: Uint8Array
  /** As Windows prints it, `HOST\Administrator`; undefined only for an unauthenticated Identify. */
  readonly user: string | undefined
  /** Whether that user is one; absent where nothing was said of it, which counts as yes. */
  readonly isAdministrator?: boolean
  /** Aborts when the client's connection is gone. */
  readonly signal: AbortSignal
}

export interface WsmanReply {
  /** 200, or 500 for a fault. */
  readonly status: number
  readonly envelope: Uint8Array
}

/** `lost`: the connection is to be cut without an answer. */
export type WsmanAnswer = WsmanReply | 'lost'

/** Never rejects: whatever goes wrong is a fault. */
export type WsmanService = (request: WsmanRequest) => Promise<WsmanAnswer>
