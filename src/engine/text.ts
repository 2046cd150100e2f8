const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/**
 * The text with U+FFFD for every character that no XML document can carry. Clients cannot send such characters over
 * XML; hosts can report them. Source: Extensible Markup Language 1.0, fifth edition, [2].
 */
export function printable(text: string): string {
  return text.replace(FORBIDDEN, '\u{fffd}')
}

/**
 * How many bytes at the end of a piece of UTF-8 begin a character that goes on in the next piece, 0 to 3; 0 where nothing
 * would be left of the piece without them. Source: RFC 3629, §3.
 */
export function unfinishedBytes(piece: Uint8Array): number {
  const BYTES_MAX = 4
  if (piece.length < BYTES_MAX) return 0
  for (let back = 1; back < BYTES_MAX; back++) {
    const byte = piece.at(-back) ?? 0
    const wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    if (wanted > 1) return back < wanted ? back : 0
    if (byte < 0x80) return 0
  }
  return 0
}
