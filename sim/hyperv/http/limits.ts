/** How much clients may take of the host. Times in milliseconds, sizes in bytes. */
export interface FrontLimits {
  /** Of a request's line and headers, as HTTP.sys has it (MaxRequestBytes). More is 400. */
  readonly headerBytes: number
  /** Of one request's body. More is 413, for everybody. */
  readonly bodyBytes: number
  /** Of all bodies that are held at one time. What would go beyond is 503. */
  readonly heldBytes: number
  /** One more, and the oldest that nobody has logged on over is cut; where there is none, the new one. */
  readonly connections: number
  /** Requests of one connection that are not answered yet. A client that sends one more is cut off. */
  readonly pipelined: number
  /** Requests being carried out, WinRM's MaxConnections. One more is 503. */
  readonly handled: number
  /** Until a new connection has sent its headers, and with TLS has shaken hands. */
  readonly headersMs: number
  /** Until a request has come in whole. */
  readonly requestMs: number
  /** How often these two are looked at; by so much they may be overrun. */
  readonly checkMs: number
  /** A connection without a request is kept so long, as HTTP.sys does. */
  readonly idleMs: number
  /** A challenge can be answered for so long. */
  readonly handshakeMs: number
  /** Until the client has taken its whole answer. */
  readonly replyMs: number
  /** How long a client that is to be cut off may go on sending, unread, so that it gets to read why. */
  readonly lingerMs: number
}

/** From Server 2012 R2 on, hosts print other numbers than the two before them were seen to keep to. */
const BUILD_OF_2012_R2 = 9600
const BUILD_OF_2012 = 9200
/** What a sealed body is more than its envelope, and a chunked one: generously. */
const FRAMING_BYTES = 16 * 1024

/**
 * The limits of a host of this Windows build. Source: facts of WinRM's configuration: MaxEnvelopeSizekb 150 or 500,
 * MaxConnections 25 (Server 2008 R2) or 300; HTTP.sys' MaxRequestBytes 16,384 and connection time-out 120 s.
 */
export function limitsOf(build: number): FrontLimits {
  return {
    headerBytes: 16 * 1024,
    bodyBytes: (build < BUILD_OF_2012_R2 ? 150 : 500) * 1024 + FRAMING_BYTES,
    heldBytes: 64 * 1024 * 1024,
    connections: 1000,
    pipelined: 8,
    handled: build < BUILD_OF_2012 ? 25 : 300,
    headersMs: 30_000,
    requestMs: 60_000,
    checkMs: 1000,
    idleMs: 120_000,
    handshakeMs: 60_000,
    replyMs: 120_000,
    lingerMs: 500,
  }
}
