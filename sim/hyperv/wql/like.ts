import { WqlError } from './wql-error.ts'

/** One place of a pattern: a character that stands for itself, by its code; ANY; ONE; or one of some. */
type Place = number | CharacterSet

interface CharacterSet {
  readonly isNegated: boolean
  readonly ranges: readonly (readonly [number, number])[]
}

/** Any run of characters. */
const ANY = -1
/** Any one character. */
const ONE = -2

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
    if (here === ANY) {
      anyPlace = place++
      anyAt = at
    } else if (here !== undefined && fits(here, text.charCodeAt(at))) {
      at++
      place++
    } else if (anyPlace !== -1) {
      place = anyPlace + 1
      at = ++anyAt
    } else return false
  }
  while (places[place] === ANY) place++
  return place === places.length
}

function fits(place: Place, code: number): boolean {
  if (typeof place === 'number') return place === code || place === ONE
  return place.ranges.some(([first, last]) => code >= first && code <= last) !== place.isNegated
}

function readPlaces(pattern: string): Place[] {
  const places: Place[] = []
  let at = 0
  while (at < pattern.length) {
    const character = pattern.charAt(at)
    const end = character === '[' ? pattern.indexOf(']', at + 1) : -1
    if (end !== -1) places.push(readSet(pattern.slice(at + 1, end)))
    else if (character !== '%') places.push(character === '_' ? ONE : character.charCodeAt(0))
    else if (places.at(-1) !== ANY) places.push(ANY)
    at = end === -1 ? at + 1 : end + 1
  }
  return places
}

function readSet(text: string): CharacterSet {
  const isNegated = text.startsWith('^')
  const members = isNegated ? text.slice(1) : text
  const ranges: [number, number][] = []
  for (let at = 0; at < members.length; at++) {
    const first = members.charCodeAt(at)
    const isRange = members.charAt(at + 1) === '-' && at + 2 < members.length
    ranges.push([first, isRange ? members.charCodeAt(at + 2) : first])
    if (isRange) at += 2
  }
  return { isNegated, ranges }
}
