import { posix } from 'node:path'
import type { Finding, Source } from './source.ts'

/** An import of a file of ours: static, of a type, re-exported, or dynamic. */
export interface Import {
  readonly line: number
  /** Path of the imported file, from the root of the repository. */
  readonly target: string
}

/** The imports of a file that name other files; packages are left out. */
export function importsOf({ path, code }: Source): Import[] {
  const found: Import[] = []
  code.forEach(({ kind, text, line }, index) => {
    if (kind !== 'word' || (text !== 'import' && text !== 'export')) return
    const specifier = specifierAfter(code, index)
    if (specifier?.startsWith('.')) found.push({ line, target: posix.join(posix.dirname(path), specifier) })
  })
  return found
}

/** Indices of the tokens inside the braces of import and export lists, where `as` renames. */
export function renamingTokens(code: Source['code']): Set<number> {
  const inside = new Set<number>()
  code.forEach(({ text }, index) => {
    if (text !== 'import' && text !== 'export') return
    for (let at = index + 1; isOfList(code[at]); at++) inside.add(at)
  })
  return inside
}

/** Import circles, each told once, where it begins. */
export function findCircles(sources: readonly Source[]): Finding[] {
  const importsByPath = new Map(sources.map(source => [source.path, importsOf(source)]))
  const findings: Finding[] = []
  const done = new Set<string>()
  const trail: string[] = []

  function visit(path: string): void {
    if (done.has(path)) return
    trail.push(path)
    for (const { target, line } of importsByPath.get(path) ?? []) {
      const start = trail.indexOf(target)
      if (start < 0) {
        visit(target)
      } else {
        const circle = [...trail.slice(start), target].join(' -> ')
        findings.push({
          path,
          line,
          message: `closes an import circle; move what both need to a file of its own: ${circle}`,
        })
      }
    }
    trail.pop()
    done.add(path)
  }

  for (const { path } of sources) visit(path)
  return findings
}

/** The module that an `import` or `export` at `index` names; none for an export of something declared here. */
function specifierAfter(code: Source['code'], index: number): string | undefined {
  let at = index + 1
  const isCall = code[index]?.text === 'import' && code[at]?.text === '('
  if (isCall) at += 1
  else while (isOfList(code[at]) && code[at]?.text !== 'from') at++
  if (code[at]?.text === 'from') at += 1
  const token = code[at]
  return token?.kind === 'string' ? token.text.slice(1, -1) : undefined
}

/** Words that begin a declaration, and so end what could have been an import or export list. */
const DECLARES = new Set(['const', 'let', 'function', 'class', 'interface', 'async', 'abstract', 'declare', 'default'])

function isOfList(token: Source['code'][number] | undefined): boolean {
  if (token === undefined) return false
  return token.kind === 'word' ? !DECLARES.has(token.text) : ['{', '}', ',', '*'].includes(token.text)
}
