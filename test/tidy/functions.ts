import type { Finding, Source } from './source.ts'

/** How long a function may be. */
export const FUNCTION_LINES_MAX = 70

const CONTROL = new Set(['if', 'for', 'while', 'switch', 'catch', 'with'])
/** Words that join another word to one type. */
const TYPE_PREFIXES = new Set(['readonly', 'keyof', 'typeof', 'unique', 'infer', 'asserts', 'is', 'extends', 'new'])
const TYPE_SIGNS = new Set(['<', '>', '|', '&', ',', '.', '=>', '?'])

/**
 * Functions that are too long, from their parameters to their closing brace. The callback of `describe` is a list
 * of tests and not counted.
 */
export function findLongFunctions({ path, code }: Source): Finding[] {
  const partners = matchBrackets(code)
  const findings: Finding[] = []
  code.forEach(({ text, line }, index) => {
    if (text !== '{') return
    const head = headOf(code, partners, index)
    const end = code[partners.get(index) ?? -1]
    if (head === undefined || end === undefined || isDescribed(code, partners, head)) return
    const lines = end.line - (code[head]?.line ?? line) + 1
    if (lines <= FUNCTION_LINES_MAX) return
    const message = `a function of ${lines} lines; cut it into steps of at most ${FUNCTION_LINES_MAX}, better 40`
    findings.push({ path, line: code[head]?.line ?? line, message })
  })
  return findings
}

/** Index of each bracket's partner, both ways. */
function matchBrackets(code: Source['code']): Map<number, number> {
  const CLOSING: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }
  const partners = new Map<number, number>()
  const open: number[] = []
  code.forEach(({ kind, text }, index) => {
    if (kind !== 'punct') return
    if (text === '(' || text === '[' || text === '{') open.push(index)
    if (CLOSING[text] === undefined || code[open.at(-1) ?? -1]?.text !== CLOSING[text]) return
    const partner = open.pop() ?? index
    partners.set(partner, index)
    partners.set(index, partner)
  })
  return partners
}

/** Where the function begins whose body the brace at `index` opens; nothing if it opens something else. */
function headOf(code: Source['code'], partners: ReadonlyMap<number, number>, index: number): number | undefined {
  const isArrow = code[index - 1]?.text === '=>'
  const before = isArrow ? index - 2 : index - 1
  if (isArrow && code[before]?.kind === 'word' && !isReturnType(code, before)) return before // `name => {`
  const close = code[before]?.text === ')' ? before : beforeReturnType(code, partners, before)
  const open = close === undefined ? undefined : partners.get(close)
  return open === undefined || CONTROL.has(code[open - 1]?.text ?? '') ? undefined : open
}

/** Whether the word at `index` is the end of a type and not a parameter: `(): name => {`. */
function isReturnType(code: Source['code'], index: number): boolean {
  return [':', '.', '|', '&'].includes(code[index - 1]?.text ?? '') || TYPE_PREFIXES.has(code[index - 1]?.text ?? '')
}

/** Goes back over `: Type`, which ends at `from`, to the parenthesis before it; nothing where there is no such thing. */
function beforeReturnType(
  code: Source['code'],
  partners: ReadonlyMap<number, number>,
  from: number,
): number | undefined {
  for (let at = from; at > 0; at--) {
    const [token, after] = [code[at], code[at + 1]]
    if (token === undefined) return undefined
    // A brace right after the colon opens a type or a value, never a body.
    if (token.text === ':' && code[at - 1]?.text === ')') return at === from ? undefined : at - 1
    if (token.kind === 'word') {
      const isJoined = TYPE_PREFIXES.has(token.text) || TYPE_PREFIXES.has(after?.text ?? '')
      if (at < from && after?.kind === 'word' && !isJoined) return undefined // Two statements, not one type.
    } else if ([')', ']', '}'].includes(token.text)) {
      at = partners.get(at) ?? 0
    } else if (token.kind === 'punct' && !TYPE_SIGNS.has(token.text)) {
      return undefined
    }
  }
  return undefined
}

function isDescribed(code: Source['code'], partners: ReadonlyMap<number, number>, head: number): boolean {
  for (let at = head - 1; at > 0; at--) {
    const text = code[at]?.text ?? ''
    if (text === ')' || text === '}' || text === ']') at = partners.get(at) ?? 0
    else if (text === '(') return code[at - 1]?.text === 'describe'
    else if (text === '{' || text === ';') return false
  }
  return false
}
