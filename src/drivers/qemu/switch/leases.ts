import { HEADER_BYTES, originOf } from './frames.ts'

/** An address that a guest was given by DHCP. */
export interface Lease {
  /** The guest's hardware address. */
  readonly mac: string
  readonly address: string
  /** How many bits of it are the net's. */
  readonly prefix: number
  /** What the guest calls itself; null where it did not say. */
  readonly hostname: string | null
  /** How the guest tells itself from others beside its hardware address, in hexadecimal with colons; null where it does not. */
  readonly clientId: string | null
  /** When it ends, in milliseconds since 1970; null for never. */
  readonly expiresAtMs: number | null
}

/** What a guest asks for, until it is answered. */
interface Question extends Pick<Lease, 'hostname' | 'clientId'> {
  readonly transaction: number
}

/** Leases, and unanswered questions, that are remembered of one segment; where more are seen, the oldest is forgotten. */
export const LEASES_MAX = 1_024

/** Source: RFC 791, RFC 768, RFC 2131 section 2. */
const [IPV4, UDP, SERVER_PORT, CLIENT_PORT] = [0x0800, 17, 67, 68]
const PACKET = HEADER_BYTES + 14
const IPV4_HEADER_BYTES_MIN = 20
const UDP_HEADER_BYTES = 8
/** Source: RFC 2131, section 2: where fields of the message are, and what stands in front of its options. */
const [OPERATION, HARDWARE, HARDWARE_BYTES, TRANSACTION, GIVEN, CLIENT, OPTIONS] = [0, 1, 2, 4, 16, 28, 240]
const [QUESTION, ANSWER, ETHERNET, ADDRESS_BYTES] = [1, 2, 1, 6]
const COOKIE = 0x63_82_53_63
/** Source: RFC 2132: the numbers of options, and of kinds of messages. */
const OPTION = { pad: 0, mask: 1, hostname: 12, lease: 51, kind: 53, clientId: 61, end: 255 } as const
const KIND = { request: 3, ack: 5, release: 7 } as const
const FOREVER = 0xffff_ffff
const MS_PER_S = 1_000
/** Longer names are none. Source: RFC 1123, section 2.1. */
const HOSTNAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/

/**
 * Who of a segment has which address by DHCP, by the messages that pass: what a guest asked for and was answered from
 * outside, until it gives that back or it ends. Guests that answer one another are not believed.
 */
export class LeaseTable {
  readonly #leases = new Map<string, Lease>()
  readonly #questions = new Map<string, Question>()
  readonly #now: () => number

  /** `now` gives milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Those that have not ended, by their hardware addresses in the order in which they were given last. */
  list(): readonly Lease[] {
    const now = this.#now()
    for (const [mac, { expiresAtMs }] of this.#leases) {
      if (expiresAtMs !== null && expiresAtMs <= now) this.#leases.delete(mac)
    }
    return [...this.#leases.values()]
  }

  /** Looks at a frame, given with its header, that comes from a guest, or from outside. */
  see(frame: Buffer, isFromOutside: boolean): void {
    const message = messageIn(frame, isFromOutside ? SERVER_PORT : CLIENT_PORT)
    if (message === undefined || message[OPERATION] !== (isFromOutside ? ANSWER : QUESTION)) return
    const options = optionsOf(message)
    const [kind] = options.get(OPTION.kind) ?? []
    if (isFromOutside && kind === KIND.ack) this.#hearAnswer(message, options)
    else if (!isFromOutside && originOf(frame) === message.readUIntBE(CLIENT, ADDRESS_BYTES)) {
      this.#hearGuest(message, kind, options)
    }
  }

  #hearGuest(message: Buffer, kind: number | undefined, options: Options): void {
    const mac = macOf(message)
    if (kind === KIND.release) this.#leases.delete(mac)
    if (kind !== KIND.request) return
    const name = options.get(OPTION.hostname)?.toString('latin1') ?? ''
    const clientId = options.get(OPTION.clientId)
    remember(this.#questions, mac, {
      transaction: message.readUInt32BE(TRANSACTION),
      hostname: HOSTNAME.test(name) ? name : null,
      clientId: clientId === undefined ? null : colons(clientId),
    })
  }

  #hearAnswer(message: Buffer, options: Options): void {
    const mac = macOf(message)
    const question = this.#questions.get(mac)
    const seconds = numberIn(options.get(OPTION.lease))
    const address = message.subarray(GIVEN, GIVEN + 4).join('.')
    // Who only asks how the net is set up, is given no address, and none for a time.
    if (question?.transaction !== message.readUInt32BE(TRANSACTION) || seconds === undefined) return
    this.#questions.delete(mac)
    const { hostname, clientId } = question
    const expiresAtMs = seconds === FOREVER ? null : this.#now() + seconds * MS_PER_S
    const prefix = prefixOf(numberIn(options.get(OPTION.mask)) ?? FOREVER)
    remember(this.#leases, mac, { mac, address, prefix, hostname, clientId, expiresAtMs })
  }
}

/** Taken out first, so that what is remembered stays in the order in which it was last heard. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= LEASES_MAX) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}

/** The message of DHCP in a frame that comes from this port; undefined in any other, and in what is no whole one. */
function messageIn(frame: Buffer, from: number): Buffer | undefined {
  // First what most frames are not.
  if (frame.length < PACKET + IPV4_HEADER_BYTES_MIN || frame[PACKET + 9] !== UDP) return undefined
  if (frame.readUInt16BE(PACKET - 2) !== IPV4) return undefined
  const datagram = PACKET + ((frame[PACKET] ?? 0) % 16) * 4
  const isFragment = (frame.readUInt16BE(PACKET + 6) & 0x3f_ff) !== 0
  if (isFragment || frame.length < datagram + UDP_HEADER_BYTES + OPTIONS) return undefined
  const ports = [frame.readUInt16BE(datagram), frame.readUInt16BE(datagram + 2)]
  if (ports[0] !== from || ports[1] !== SERVER_PORT + CLIENT_PORT - from) return undefined
  const message = frame.subarray(datagram + UDP_HEADER_BYTES)
  const isEthernet = message[HARDWARE] === ETHERNET && message[HARDWARE_BYTES] === ADDRESS_BYTES
  return isEthernet && message.readUInt32BE(OPTIONS - 4) === COOKIE ? message : undefined
}

type Options = ReadonlyMap<number, Buffer>

/** The options of a message, as far as they are whole; each is at least one byte of the frame. */
function optionsOf(message: Buffer): Options {
  const options = new Map<number, Buffer>()
  for (let at = OPTIONS; at < message.length; ) {
    const option = message[at]
    const length = message[at + 1]
    if (option === OPTION.pad) at++
    else if (option === undefined || option === OPTION.end || length === undefined) break
    else {
      const value = message.subarray(at + 2, at + 2 + length)
      if (value.length < length) break
      options.set(option, value)
      at += 2 + length
    }
  }
  return options
}

const numberIn = (value: Buffer | undefined): number | undefined =>
  value?.length === 4 ? value.readUInt32BE(0) : undefined

const prefixOf = (mask: number): number => Math.clz32(~mask)

const colons = (bytes: Buffer): string => bytes.toString('hex').replaceAll(/..(?!$)/g, '$&:')

const macOf = (message: Buffer): string => colons(message.subarray(CLIENT, CLIENT + ADDRESS_BYTES))
