import { MessageError } from './message-error.ts'

/** Tags that handshakes are made of. Source: X.690. */
export const TAG = {
  octets: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  sequence: 0x30,
  application0: 0x60,
} as const

/** The tag of an explicitly tagged field of a sequence. */
export function field(number: number): number {
  return 0xa0 + number
}

/** More than any list here has. */
const CHILDREN_MAX = 64
const LENGTH_BYTES_MAX = 3

/** A value of DER and where it ends. */
export class DerNode {
  readonly tag: number
  readonly content: Buffer
  /** Tag and length included. */
  readonly whole: Buffer

  constructor(tag: number, content: Buffer, whole: Buffer) {
    this.tag = tag
    this.content = content
    this.whole = whole
  }

  /** The values inside. Throws MessageError where there are none but other bytes. */
  children(): DerNode[] {
    const children: DerNode[] = []
    for (let rest = this.content; rest.length > 0; ) {
      if (children.length === CHILDREN_MAX) throw new MessageError('more values than any message has')
      const child = readNode(rest)
      children.push(child)
      rest = rest.subarray(child.whole.length)
    }
    return children
  }

  /** The only value inside, where it has this tag. Throws MessageError otherwise. */
  only(tag: number): DerNode {
    const child = readNode(this.content)
    if (child.tag !== tag || child.whole.length !== this.content.length)
      throw new MessageError('another value expected')
    return child
  }
}

/** The value at the beginning. Throws MessageError. */
export function readNode(bytes: Buffer): DerNode {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new MessageError('not DER')
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (lengthBytes > LENGTH_BYTES_MAX || first === 0x80 || bytes.length < 2 + lengthBytes) {
    throw new MessageError('not a length of DER')
  }
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes)
  const start = 2 + lengthBytes
  if (start + length > bytes.length) throw new MessageError('a value that goes beyond its end')
  return new DerNode(tag, bytes.subarray(start, start + length), bytes.subarray(0, start + length))
}

/** A value with this content. */
export function writeNode(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const inside = Buffer.concat(content)
  if (inside.length < 0x80) return Buffer.concat([Buffer.from([tag, inside.length]), inside])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(inside.length)
  const digits = length.subarray(length.findIndex(byte => byte !== 0))
  return Buffer.concat([Buffer.from([tag, 0x80 + digits.length]), digits, inside])
}

/** `1.3.6.1.5.5.2`. Throws MessageError. */
export function readOid(content: Buffer): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of content) {
    arc = arc * 0x80 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 0x80) throw new MessageError('not an object identifier')
    if (byte >= 0x80) continue
    if (arcs.length === 0) arcs.push(Math.min(Math.floor(arc / 40), 2), arc - 40 * Math.min(Math.floor(arc / 40), 2))
    else arcs.push(arc)
    arc = 0
  }
  return arcs.join('.')
}

/** The content of an object identifier. */
export function writeOid(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number)
  return Buffer.from([first * 40 + second, ...rest].flatMap(arc => base128(arc)))
}

function base128(arc: number): number[] {
  const digits = [arc & 0x7f]
  for (let rest = Math.floor(arc / 0x80); rest > 0; rest = Math.floor(rest / 0x80)) digits.unshift((rest & 0x7f) | 0x80)
  return digits
}
