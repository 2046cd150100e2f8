/** A way to authenticate that a host names, with what it has to say about it. */
export interface AuthOffer {
  /** As the host writes it; compare without regard to case. */
  readonly scheme: string
  /** The token, decoded; undefined where there is none. */
  readonly token: Uint8Array | undefined
}

/** As many offers as are looked at. */
const OFFERS_MAX = 16

/**
 * Reads what stands in `WWW-Authenticate`, one value a header, several offers in one value where a proxy has put them
 * together. Parameters are left out: none of our schemes has any that matter. Source: RFC 9110, section 11.6.1;
 * RFC 4559, section 4.
 */
export function readOffers(values: readonly string[]): AuthOffer[] {
  const offers: AuthOffer[] = []
  for (const value of values) {
    // Commas within quotes do not part; a pair without its quotes is no scheme.
    for (const piece of value.matchAll(/(?:[^,"]|"[^"]*")+/g)) {
      const [, scheme, token] = /^\s*([\w-]+)(?:\s+([A-Za-z0-9+/]+={0,2}))?\s*$/.exec(piece[0]) ?? []
      const [, first] = /^\s*([\w-]+)\s+[\w-]+\s*=/.exec(piece[0]) ?? []
      const name = scheme ?? first
      if (name === undefined || offers.length >= OFFERS_MAX) continue
      offers.push({ scheme: name, token: token === undefined ? undefined : Buffer.from(token, 'base64') })
    }
  }
  return offers
}

/** The offer of that scheme, one with a token before one without. */
export function findOffer(offers: readonly AuthOffer[], scheme: string): AuthOffer | undefined {
  const own = offers.filter(offer => offer.scheme.toLowerCase() === scheme.toLowerCase())
  return own.find(({ token }) => token !== undefined) ?? own[0]
}
