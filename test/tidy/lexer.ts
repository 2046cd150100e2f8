/**
 * What a piece of source text is. `doc` is a comment that begins with two stars; `template` is a stretch of a
 * template literal between its substitutions, whose own tokens stand in between; `word` covers keywords, names and
 * `#private` names.
 */
export type TokenKind = 'word' | 'string' | 'template' | 'number' | 'regex' | 'punct' | 'doc' | 'comment'

export interface Token {
  readonly kind: TokenKind
  readonly text: string
  /** Of its first character; the first line of a file is 1. */
  readonly line: number
}

// In this order: a comment before a slash, a string before a quote that opens nothing (an apostrophe in JSX text).
const SCANNERS: ReadonlyArray<readonly [TokenKind | 'space', RegExp]> = [
  ['space', /\s+|^#!.*/y],
  ['doc', /\/\*\*(?!\/)[^]*?\*\//y],
  ['comment', /\/\*[^]*?\*\/|\/\/.*/y],
  ['string', /'(?:[^'\\\n]|\\[^])*'|"(?:[^"\\\n]|\\[^])*"/y],
  ['word', /[#$_\p{ID_Start}][$\p{ID_Continue}]*/uy],
  ['number', /\d[\w.]*/y],
  ['punct', /=>|\?\.|\.\.\.|[^]/y],
]
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y
const TEMPLATE_REST = /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)?/y

/** After these words a slash begins a regular expression; after any other name it divides. */
const BEFORE_REGEX = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'do',
  'else',
  'void',
  'delete',
  'throw',
  'await',
  'yield',
  'new',
])

/**
 * Cuts TypeScript or JavaScript text into tokens. It knows strings, templates, comments and regular expressions
 * well enough that none of them is taken for code; it checks nothing.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  // For each template literal that is open: how many braces are open inside its substitution.
  const braces: number[] = []
  let line = 1
  let offset = 0
  let last: Token | undefined

  function take(kind: TokenKind | 'space', taken: string): void {
    if (kind !== 'space') {
      const token = { kind, text: taken, line }
      tokens.push(token)
      if (kind !== 'doc' && kind !== 'comment') last = token
    }
    offset += taken.length
    for (let at = taken.indexOf('\n'); at >= 0; at = taken.indexOf('\n', at + 1)) line += 1
  }

  function takeTemplate(opening: string): void {
    const rest = match(TEMPLATE_REST, text, offset + opening.length)
    take('template', opening + rest)
    if (rest.endsWith('${')) braces.push(0)
  }

  while (offset < text.length) {
    const char = text[offset]
    const depth = braces.at(-1)
    if (char === '`') {
      takeTemplate('`')
    } else if (char === '}' && depth === 0) {
      braces.pop()
      takeTemplate('}')
    } else {
      if (depth !== undefined && char === '{') braces[braces.length - 1] = depth + 1
      if (depth !== undefined && char === '}') braces[braces.length - 1] = depth - 1
      take(...scan(text, offset, last))
    }
  }
  return tokens
}

function scan(text: string, offset: number, last: Token | undefined): [TokenKind | 'space', string] {
  for (const [kind, scanner] of SCANNERS) {
    if (kind === 'punct' && text[offset] === '/' && mayBeginRegex(last)) {
      const regex = match(REGEX, text, offset)
      if (regex !== '') return ['regex', regex]
    }
    const taken = match(scanner, text, offset)
    if (taken !== '') return [kind, taken]
  }
  throw new Error(`nothing scanned at ${offset}`)
}

function match(scanner: RegExp, text: string, offset: number): string {
  scanner.lastIndex = offset
  return scanner.exec(text)?.[0] ?? ''
}

function mayBeginRegex(last: Token | undefined): boolean {
  if (last === undefined) return true
  if (last.kind === 'word') return BEFORE_REGEX.has(last.text)
  if (last.kind !== 'punct') return last.kind === 'template' && last.text.endsWith('${')
  return ![')', ']', '}', '<'].includes(last.text) // After `<` it closes a JSX element.
}
