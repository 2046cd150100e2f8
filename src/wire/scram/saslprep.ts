/** ASCII without its control characters: what nearly every name and password is, and the same when it is prepared. */
const PLAIN = /^[\x20-\x7e]*$/

/** Mapped to nothing. Source: RFC 3454, table B.1. */
const DROPPED = /\u{34F}|[\u{180B}-\u{180D}]|[\u{FE00}-\u{FE0F}]|[\u{AD}\u{1806}\u{200B}-\u{200D}\u{2060}\u{FEFF}]/gu
/** Spaces that are mapped to that of ASCII. Source: RFC 3454, table C.1.2. */
const SPACES = /[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/gu
/**
 * Control characters, private use, what is no character, surrogates, what is inappropriate for plain text or for
 * canonical representation, what changes the display, tags; and what Unicode has not assigned.
 * Source: RFC 3454, tables C.2.1 to C.9; RFC 4013 §2.3 and §2.5 (stored strings).
 */
const PROHIBITED =
  /[\p{Cc}\p{Co}\p{Cn}\p{Cs}\u{340}\u{341}\u{6DD}\u{70F}\u{180E}\u{200E}\u{200F}\u{2028}-\u{202E}\u{2061}-\u{2063}\u{206A}-\u{206F}\u{2FF0}-\u{2FFB}\u{FFF9}-\u{FFFD}\u{1D173}-\u{1D17A}\u{E0001}\u{E0020}-\u{E007F}]/u

/**
 * A name or a password in the one form in which it is compared: SASLprep, but that the direction of writing is not
 * looked at. Undefined for a text that has none, for it holds a character that is prohibited.
 * Source: RFC 4013; the order of the steps is RFC 3454 §7's.
 */
export function saslPrepared(text: string): string | undefined {
  if (PLAIN.test(text)) return text
  const prepared = text.replace(SPACES, ' ').replace(DROPPED, '').normalize('NFKC')
  return PROHIBITED.test(prepared) ? undefined : prepared
}
