/** How much clients may take of the server. Times in milliseconds, sizes in bytes. */
export interface Limits {
  /** Of one request's body. More is 413, known before a byte is read where the client announces it. */
  readonly bodyBytes: number
  /** Of all bodies held at one time. What would go beyond is 503. */
  readonly bodiesBytes: number
  /** Of a request's line and headers. More is 431. */
  readonly headerBytes: number
  /** Connections over all listeners. One more is closed at once, or as soon as it has been told so. */
  readonly connections: number
  /** Requests of one connection that are read and not answered yet. A client that sends one more is cut off. */
  readonly pipelined: number
  /** Requests being handled over all connections. One more is 503. */
  readonly handled: number
  /** Until a new connection has shaken hands and sent its headers, and a used one has sent its next ones. Longer is 408. */
  readonly headersMs: number
  /** Until a request has come in whole. Longer is 408. Handling it may take as long as it takes. */
  readonly requestMs: number
  /** How often the two above are looked at; by so much they may be overrun. */
  readonly checkMs: number
  /** A connection without a request is kept so long. */
  readonly keepAliveMs: number
  /** Until the client has taken its whole answer. */
  readonly replyMs: number
  /** Consoles being looked at. One more is 503. */
  readonly consoles: number
  /** Of them, of one VM. One more is 429. */
  readonly consolesPerVm: number
  /** Of one message from a viewer. More closes with 1009. */
  readonly consoleFrameBytes: number
  /** What is sent to a viewer and not taken: from so much on, its console is not read. */
  readonly consoleUnsentBytes: number
  /** How often a viewer is asked whether it is still there; one that has said nothing until the next time is not. */
  readonly consolePingMs: number
  /** How long a viewer may take to close its side. */
  readonly consoleCloseMs: number
  /** How long a refused client may go on sending, unread into nothing, so that it gets to read why. */
  readonly lingerMs: number
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 4 * 1024 * 1024,
  bodiesBytes: 256 * 1024 * 1024,
  headerBytes: 16 * 1024,
  connections: 1000,
  pipelined: 64,
  handled: 512,
  headersMs: 15_000,
  requestMs: 60_000,
  checkMs: 2_000,
  keepAliveMs: 60_000,
  replyMs: 300_000,
  consoles: 256,
  consolesPerVm: 32,
  consoleFrameBytes: 64 * 1024,
  consoleUnsentBytes: 256 * 1024,
  consolePingMs: 30_000,
  consoleCloseMs: 2_000,
  lingerMs: 500,
}
