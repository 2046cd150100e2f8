import type { Finding } from './source.ts'

// Put together from halves, so that this file does not hold what it looks for.
const whole = (...halves: string[]) => halves.join('')

const PROMISES = new RegExp(
  `\\b(${[whole('TO', 'DO'), whole('FIX', 'ME'), whole('X', 'XX'), whole('HA', 'CK')].join('|')})\\b`,
)
const PLACES = new RegExp(`(^|[^\\w.-])/(${[whole('wo', 'rk'), whole('ro', 'ot')].join('|')})/`)
const HOSTS = new RegExp(
  [whole('registry', '\\.npmjs'), whole('deb', '\\.debian\\.org'), whole('ftp', '\\.debian\\.org')].join('|'),
)

const FORBIDDEN: ReadonlyArray<readonly [RegExp, string]> = [
  [PROMISES, 'promises to be finished one day; finish it, or write the doubt down as a doubt'],
  [PLACES, 'names a path of one machine; the repository is at home on every machine'],
  [HOSTS, 'names a package registry; leave that to the configuration of the package manager'],
]

/** Lines of a text file that hold what does not belong in the repository. */
export function findForeignWords(path: string, text: string): Finding[] {
  // Whole texts first: nearly all of them hold nothing, and need not be cut into lines.
  if (!FORBIDDEN.some(([pattern]) => new RegExp(pattern, 'm').test(text))) return []
  return text.split('\n').flatMap((content, index) => {
    return FORBIDDEN.filter(([pattern]) => pattern.test(content)).map(([, message]) => ({
      path,
      line: index + 1,
      message,
    }))
  })
}
