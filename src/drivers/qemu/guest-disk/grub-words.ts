import { damaged } from './reader.ts'

/** A piece of a word: text, or a variable; what an unquoted variable holds is split into words. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly isQuoted: boolean }

/** A word of GRUB's shell, or what ends a command. A bare word is written without quotes or variables. */
export type Token =
  | { readonly kind: 'word'; readonly parts: readonly Part[]; readonly bare: string | undefined }
  | { readonly kind: 'end' }

const TOKENS_MAX = 200_000
const SPACE = /[ \t\r]/
const NAME = /^(?:\{([^}\n]*)\}|([A-Za-z_]\w*|[?#@*]|\d+))/

/** Source: GNU GRUB manual 2.06, "Writing full configuration files directly": words, quoting, expansion, comments. */
export function tokensOf(script: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < script.length; ) {
    if (tokens.length > TOKENS_MAX) throw damaged("GRUB's configuration is too long")
    const char = script.charAt(at)
    if (SPACE.test(char)) at++
    else if (script.startsWith('\\\n', at)) at += 2
    else if (char === '\n' || char === ';') {
      tokens.push({ kind: 'end' })
      at++
    } else if (char === '#') {
      const end = script.indexOf('\n', at)
      at = end === -1 ? script.length : end
    } else {
      const { token, next } = readWord(script, at)
      tokens.push(token)
      at = next
    }
  }
  return tokens
}

function readWord(script: string, start: number): { readonly token: Token; readonly next: number } {
  const parts: Part[] = []
  const add = (text: string) => void parts.push({ kind: 'text', text })
  let at = start
  while (at < script.length && !/[\s;]/.test(script.charAt(at))) {
    const char = script.charAt(at)
    if (char === "'") {
      const end = closing(script, "'", at + 1)
      add(script.slice(at + 1, end))
      at = end + 1
    } else if (char === '"') {
      at = readQuoted(script, at + 1, parts)
    } else if (char === '\\') {
      if (script.charAt(at + 1) !== '\n') add(script.charAt(at + 1))
      at += 2
    } else if (char === '$') {
      at = readVariable(script, at, parts, false)
    } else {
      const [plain = char] = /^[^\s;'"\\$]+/.exec(script.slice(at, at + PLAIN_LENGTH_MAX)) ?? []
      add(plain)
      at += plain.length
    }
  }
  const text = script.slice(start, at)
  return { token: { kind: 'word', parts, bare: /['"\\$]/.test(text) ? undefined : text }, next: at }
}

/** So that a long text is not copied for each of its words. */
const PLAIN_LENGTH_MAX = 4096

function closing(script: string, quote: string, from: number): number {
  const end = script.indexOf(quote, from)
  if (end === -1) throw damaged("a quote in GRUB's configuration has no end")
  return end
}

/** Gives the place after the closing quote. An empty text tells that there is a word, though an empty one. */
function readQuoted(script: string, start: number, parts: Part[]): number {
  parts.push({ kind: 'text', text: '' })
  for (let at = start; at < script.length; ) {
    const char = script.charAt(at)
    if (char === '"') return at + 1
    if (char === '\\' && /["\\$\n]/.test(script.charAt(at + 1))) {
      if (script.charAt(at + 1) !== '\n') parts.push({ kind: 'text', text: script.charAt(at + 1) })
      at += 2
    } else if (char === '$') {
      at = readVariable(script, at, parts, true)
    } else {
      const [plain = char] = /^[^"\\$]+/.exec(script.slice(at, at + PLAIN_LENGTH_MAX)) ?? []
      parts.push({ kind: 'text', text: plain })
      at += plain.length
    }
  }
  throw damaged("a quote in GRUB's configuration has no end")
}

function readVariable(script: string, at: number, parts: Part[], isQuoted: boolean): number {
  const match = NAME.exec(script.slice(at + 1, at + 1 + PLAIN_LENGTH_MAX))
  if (match === null) {
    parts.push({ kind: 'text', text: '$' })
    return at + 1
  }
  parts.push({ kind: 'variable', name: match[1] ?? match[2] ?? '', isQuoted })
  return at + 1 + match[0].length
}
