import { AuthError } from './auth-error.ts'

/** What of DER is read and written here. Source: ITU-T X.690. */
export const DerTag = {
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  sequence: 0x30,
  application0: 0x60,
} as const

/** Lengths of more bytes than these are beyond all that is read here. */
const LENGTH_BYTES_MAX = 4
/** As many elements one after the other as are read. */
const ELEMENTS_MAX = 256

/** One element: what it is and what it holds. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
}

/** The tag of what is the `number`th optional part of a structure. */
export function contextTag(number: number): number {
  return 0xa0 | number
}

/** Encodes an element that holds the given pieces one after the other. */
export function writeDer(tag: number, ...pieces: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(pieces)
  return Buffer.concat([Uint8Array.of(tag, ...writeLength(content.length)), content])
}

/** Reads the elements that fill the bytes. Throws AuthError where they are no DER. */
export function readDer(bytes: Uint8Array): DerElement[] {
  const elements: DerElement[] = []
  let rest = bytes
  while (rest.length > 0) {
    if (elements.length >= ELEMENTS_MAX) throw new AuthError('malformed', `more than ${ELEMENTS_MAX} elements of DER`)
    const { element, bytesRead } = readElement(rest)
    elements.push(element)
    rest = rest.subarray(bytesRead)
  }
  return elements
}

/** The content of the one element of that tag that fills the bytes. Throws AuthError where there is another. */
export function readOnly(bytes: Uint8Array, tag: number): Uint8Array {
  const [only, ...others] = readDer(bytes)
  if (only?.tag !== tag || others.length > 0) throw new AuthError('malformed', `no element of DER with tag ${tag}`)
  return only.content
}

/** Encodes an object identifier given as `1.3.6.1…`. */
export function writeOid(oid: string): Uint8Array {
  const [first = 0, second = 0, ...others] = oid.split('.').map(Number)
  return writeDer(DerTag.oid, Uint8Array.from([40 * first + second, ...others].flatMap(writeArc)))
}

/** The content of an object identifier as `1.3.6.1…`. Numbers beyond 32 bits are refused as `malformed`. */
export function readOid(content: Uint8Array): string {
  const arcs: number[] = []
  let arc = 0
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f)
    if (arc > 0xffff_ffff) throw new AuthError('malformed', 'an object identifier with a number beyond all use')
    if ((byte & 0x80) !== 0) continue
    arcs.push(arc)
    arc = 0
  }
  const [head, ...others] = arcs
  if (head === undefined || ((content.at(-1) ?? 0) & 0x80) !== 0) {
    throw new AuthError('malformed', 'an object identifier that does not end')
  }
  const first = Math.min(Math.floor(head / 40), 2)
  return [first, head - 40 * first, ...others].join('.')
}

function readElement(bytes: Uint8Array): { element: DerElement; bytesRead: number } {
  const [tag, short] = bytes
  if (tag === undefined || short === undefined) throw new AuthError('malformed', 'an element of DER ends in its head')
  if ((tag & 0x1f) === 0x1f) throw new AuthError('malformed', 'an element of DER with a tag of several bytes')
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f
  if (short === 0x80 || lengthBytes > LENGTH_BYTES_MAX) {
    throw new AuthError('malformed', 'an element of DER without an end, or beyond all bounds')
  }
  const start = 2 + lengthBytes
  const length = lengthBytes === 0 ? short : bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0)
  const content = bytes.subarray(start, start + length)
  if (bytes.length < start || content.length < length) throw new AuthError('malformed', 'an element of DER is cut off')
  return { element: { tag, content }, bytesRead: start + length }
}

function writeLength(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

function writeArc(arc: number): number[] {
  const bytes = [arc % 128]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(0x80 | (rest % 128))
  return bytes
}
