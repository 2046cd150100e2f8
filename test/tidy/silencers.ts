import { renamingTokens } from './imports.ts'
import type { Finding, Source } from './source.ts'

/** Rooms in which a cast is the point. */
const CAST_ROOMS = /^src\/(model\/kernel\/|engine\/marshal)/

/** Casts with `as`; `as const`, renamed imports and remapped keys are none. */
export function findCasts({ path, code }: Source): Finding[] {
  if (CAST_ROOMS.test(path)) return []
  const renaming = renamingTokens(code)
  return code.flatMap(({ kind, text, line }, index) => {
    if (kind !== 'word' || text !== 'as' || renaming.has(index)) return []
    const [before, after] = [code[index - 1], code[index + 1]]
    if (before === undefined || after === undefined || after.text === 'const') return []
    const isOperand = before.kind !== 'punct' || [')', ']', '}', '>', '!'].includes(before.text)
    const isName = [':', ',', ')', '=', '?', ';', '.'].includes(after.text)
    if (!isOperand || isName || remapsKeys(code, index)) return []
    return [{ path, line, message: `casts to ${after.text}; let a check or a better type say so` }]
  })
}

/** The type that turns the checker off. */
export function findAnys({ path, code }: Source): Finding[] {
  return code.flatMap(({ kind, text, line }, index) => {
    if (kind !== 'word' || text !== 'any') return []
    const [before, after] = [code[index - 1]?.text ?? '', code[index + 1]?.text ?? '']
    if (['.', '?.'].includes(before) || [':', '('].includes(after)) return []
    return [{ path, line, message: 'says any; say unknown and check, or name the type' }]
  })
}

const SUPPRESSION = /@ts-(ignore|nocheck)|(oxlint|eslint)-disable|biome-ignore/
/** Where an expected type error is a test. */
const EXPECTS_ERRORS = /^(types|test)\//

/** Comments that silence the type checker, the linter or the formatter. */
export function findSuppressions({ path, tokens }: Source): Finding[] {
  return tokens.flatMap(({ kind, text, line }) => {
    if (kind !== 'comment' && kind !== 'doc') return []
    const isSilencer = SUPPRESSION.test(text) || (text.includes('@ts-expect-error') && !EXPECTS_ERRORS.test(path))
    if (!isSilencer) return []
    return [{ path, line, message: 'silences a check; mend what the check found' }]
  })
}

/** `[K in keyof T as Name<K>]`. */
function remapsKeys(code: Source['code'], index: number): boolean {
  let depth = 0
  for (let at = index - 1; at >= 0; at--) {
    const text = code[at]?.text
    if (text === ']' || text === ')' || text === '}') depth += 1
    if (text !== '[' && text !== '(' && text !== '{') continue
    if (depth === 0) return text === '[' && code[at + 2]?.text === 'in'
    depth -= 1
  }
  return false
}
