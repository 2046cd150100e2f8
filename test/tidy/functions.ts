import type { Finding, Source } from './source.ts'

/** How long a function may be. */
export const FUNCTION_LINES_MAX = 70

const CONTROL = new Set(['if', 'for', 'while', 'switch', 'catch', 'with'])
/** Words that may stand before another word within a type. */
const TYPE_PREFIXES = new Set(['readonly', 'keyof', 'typeof', 'unique', 'infer', 'asserts', 'is', 'extends', 'new'])

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
  let at = index - 1
  if (code[at]?.text === '=>') at -= 1
  else if (code[at]?.text !== ')') at = beforeReturnType(code, partners, at)
  const close = code[at]
  if (close?.kind === 'word' && code[at + 1]?.text === '=>') return at // `name => {`
  if (close?.text !== ')') {
    // An arrow function with a return type.
    at = beforeReturnType(code, partners, at)
    if (code[at]?.text !== ')') return undefined
  }
  const head = partners.get(at)
  if (head === undefined) return undefined
  return CONTROL.has(code[head - 1]?.text ?? '') ? undefined : head
}

/** Goes back over `: Type` to the parenthesis before it; to nothing where there is no such thing. */
function beforeReturnType(code: Source['code'], partners: ReadonlyMap<number, number>, from: number): number {
  for (let at = from; at >= 0; at--) {
    const { kind, text } = code[at] ?? { kind: 'punct', text: ';' }
    // A brace right after the colon opens a type or a value, never a body.
    if (text === ':' && code[at - 1]?.text === ')') return at === from ? -1 : at - 1
    if (kind === 'word' && code[at + 1]?.kind === 'word' && at < from && !TYPE_PREFIXES.has(text)) {
      if (!TYPE_PREFIXES.has(code[at + 1]?.text ?? '')) return -1
    }
    if (text === ')' || text === ']' || text === '}') at = partners.get(at) ?? -1
    else if (kind === 'punct' && !['<', '>', '|', '&', ',', '.', '=>', '?'].includes(text)) return -1
  }
  return -1
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
