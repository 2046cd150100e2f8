/** Whether a text, in whatever case, is as a pattern says. */
export type Matcher = (text: string) => boolean

/** How long a pattern may be. */
export const PATTERN_LENGTH_MAX = 256

/**
 * A pattern in which `*` stands for any text and `?` for one character. Matching takes at most the product of both
 * lengths, whatever the pattern.
 */
export function patternOf(pattern: string): Matcher {
  const wanted = pattern.toLowerCase()
  return text => matches(wanted, text.toLowerCase())
}

/** Goes on greedily, and falls back to the last `*` alone: no earlier one can do better. */
function matches(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let starAt = 0
  let index = 0
  while (index < text.length) {
    const sign = pattern[at]
    if (sign === '*') {
      star = at++
      starAt = index
    } else if (sign !== undefined && (sign === '?' || sign === text[index])) {
      at++
      index++
    } else if (star !== -1) {
      at = star + 1
      index = ++starAt
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
