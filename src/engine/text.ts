const FORBIDDEN = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/**
 * The text with U+FFFD for every character that no XML document can carry. Clients cannot send such characters over
 * XML; hosts can report them. Source: Extensible Markup Language 1.0, fifth edition, [2].
 */
export function printable(text: string): string {
  return text.replace(FORBIDDEN, '\u{fffd}')
}
