/** An answer over HTTP. */
export interface Reply {
  readonly status: number
  /** What HTTP.sys says itself has a reason; what WinRM says has none. */
  readonly reason: string
  /** Names and values in turn, but for Server, Date, Connection and Content-Length. Those before Server. */
  readonly first: readonly string[]
  /** Those behind it. */
  readonly last: readonly string[]
  readonly body: Buffer
  /** Whether the connection ends with it. */
  readonly isLast: boolean
}

const NOTHING = Buffer.alloc(0)

/** WinRM's answer that says all by its status. */
export function emptyReply(status: number, options: Partial<Omit<Reply, 'status' | 'body'>> = {}): Reply {
  return { status, reason: '', first: [], last: [], body: NOTHING, isLast: false, ...options }
}

/** An answer with a body. `answer` is the last word of a handshake, if there is one. */
export function bodyReply(status: number, contentType: string, body: Buffer, answer: string | undefined): Reply {
  const token = answer === undefined ? [] : ['WWW-Authenticate', answer]
  return { status, reason: '', first: [...token, 'Content-Type', contentType], last: [], body, isLast: false }
}

/** 401 with all that is offered; it ends the connection, as recorded of WinRM. */
export function refusal(offers: readonly string[]): Reply {
  return emptyReply(401, { last: offers.flatMap(offer => ['WWW-Authenticate', offer]), isLast: true })
}

/** 401 with the next token of a handshake. */
export function challenge(answer: string): Reply {
  return emptyReply(401, { first: ['WWW-Authenticate', answer] })
}

/** What HTTP.sys itself says, where nothing of the request has reached WinRM. Source: recorded pages of HTTP.sys. */
export const PAGE = {
  badRequest: page(400, 'Bad Request', 'Bad Request', 'HTTP Error 400. The request is badly formed.'),
  badHost: page(
    400,
    'Bad Request',
    'Bad Request - Invalid Hostname',
    'HTTP Error 400. The request hostname is invalid.',
  ),
  tooLong: page(
    400,
    'Bad Request',
    'Bad Request - Request Too Long',
    'HTTP Error 400. The size of the request headers is too long.',
  ),
  notFound: page(404, 'Not Found', 'Not Found', 'HTTP Error 404. The requested resource is not found.'),
  lengthRequired: page(
    411,
    'Length Required',
    'Length Required',
    'HTTP Error 411. The request must be chunked or have a content length.',
  ),
  badVersion: page(
    505,
    'HTTP Version Not Supported',
    'HTTP Version Not Supported',
    'HTTP Error 505. The HTTP version is not supported.',
  ),
  unavailable: page(503, 'Service Unavailable', 'Service Unavailable', 'HTTP Error 503. The service is unavailable.'),
} as const satisfies Readonly<Record<string, Reply>>

function page(status: number, reason: string, heading: string, text: string): Reply {
  const html =
    '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n' +
    `<HTML><HEAD><TITLE>${reason}</TITLE>\r\n` +
    '<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n' +
    `<BODY><h2>${heading}</h2>\r\n<hr><p>${text}</p>\r\n</BODY></HTML>\r\n`
  const first = ['Content-Type', 'text/html; charset=us-ascii']
  return { status, reason, first, last: [], body: Buffer.from(html, 'latin1'), isLast: true }
}

/** All headers, in the order in which HTTP.sys writes them. */
export function headersOf(reply: Reply, isLast: boolean): string[] {
  const headers = [...reply.first, 'Server', 'Microsoft-HTTPAPI/2.0', ...reply.last, 'Date', new Date().toUTCString()]
  if (isLast) headers.push('Connection', 'close')
  headers.push('Content-Length', String(reply.body.length))
  return headers
}

/** The answer in bytes, for a connection on which no HTTP can be spoken any more. */
export function rawReply(reply: Reply): Buffer {
  const headers = headersOf(reply, true)
  const lines = headers.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${headers[index + 1] ?? ''}`] : []))
  const head = [`HTTP/1.1 ${reply.status} ${reply.reason}`, ...lines, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), reply.body])
}
