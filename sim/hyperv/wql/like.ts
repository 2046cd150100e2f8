import { WqlError } from './wql-error.ts'

/** One place of a pattern: any run of characters, any one character, or one of some. */
type Place = 'any' | 'one' | ((character: string) => boolean)

/** Places of a pattern. */
const PLACES_MAX = 1024

/**
 * Tells whether a text matches a pattern of LIKE, whatever the case: `%` is any run of characters, `_` any one,
 * `[a-f]` one of these, `[^a-f]` one that is not. A bracket that is not closed stands for itself. Throws WqlError for
 * a pattern that is too long. Time is bounded by the length of the text times that of the pattern.
 * Source: Microsoft Learn, "LIKE Operator".
 */
export function likeMatcher(pattern: string): (text: string) => boolean {
  const places = readPlaces(pattern.toLowerCase())
  if (places.length > PLACES_MAX) throw new WqlError('limit', `a pattern of more than ${PLACES_MAX} places`)
  return text => matches(places, text.toLowerCase())
}

/** After a failure only the last `%` takes one more character: what came before it fits as early as it can. */
function matches(places: readonly Place[], text: string): boolean {
  let at = 0
  let place = 0
  let anyPlace = -1
  let anyAt = 0
  while (at < text.length) {
    const here = places[place]
    if (here === 'any') {
      anyPlace = place++
      anyAt = at
    } else if (here !== undefined && (here === 'one' || here(text.charAt(at)))) {
      at++
      place++
    } else if (anyPlace !== -1) {
      place = anyPlace + 1
      at = ++anyAt
    } else return false
  }
  while (places[place] === 'any') place++
  return place === places.length
}

function readPlaces(pattern: string): Place[] {
  const places: Place[] = []
  let at = 0
  while (at < pattern.length) {
    const character = pattern.charAt(at)
    const end = character === '[' ? pattern.indexOf(']', at + 1) : -1
    if (end !== -1) places.push(readSet(pattern.slice(at + 1, end)))
    else if (character !== '%') places.push(character === '_' ? 'one' : other => other === character)
    else if (places.at(-1) !== 'any') places.push('any')
    at = end === -1 ? at + 1 : end + 1
  }
  return places
}

function readSet(text: string): (character: string) => boolean {
  const isNegated = text.startsWith('^')
  const members = isNegated ? text.slice(1) : text
  const ranges: [string, string][] = []
  for (let at = 0; at < members.length; at++) {
    const first = members.charAt(at)
    const isRange = members.charAt(at + 1) === '-' && at + 2 < members.length
    ranges.push([first, isRange ? members.charAt(at + 2) : first])
    if (isRange) at += 2
  }
  return character => ranges.some(([first, last]) => character >= first && character <= last) !== isNegated
}
