import type { Finding, Source } from './source.ts'

const DECLARATIONS = new Set(['const', 'let', 'function', 'class', 'interface', 'type', 'enum'])
const MODIFIERS = new Set(['declare', 'async', 'abstract'])

/** Exports without a docstring right before them. Re-exports and all but the first overload are exempt. */
export function findUndocumentedExports({ path, tokens }: Source): Finding[] {
  const findings: Finding[] = []
  const documented = new Set<string>()
  tokens.forEach(({ kind, text, line }, index) => {
    if (kind !== 'word' || text !== 'export') return
    const name = declaredName(tokens, index)
    if (name === undefined || documented.has(name)) return
    documented.add(name)
    if (tokens[index - 1]?.kind === 'doc') return
    findings.push({
      path,
      line,
      message: `exports ${name} without a docstring; say what it is and what its type cannot say`,
    })
  })
  return findings
}

/** Default exports, but in the configuration files of tools that demand one. */
export function findDefaultExports({ path, code }: Source): Finding[] {
  if (/\.config\.(ts|mjs)$/.test(path)) return []
  return code.flatMap(({ kind, text, line }, index) => {
    const isDefault = text === 'default' && ['export', 'as'].includes(code[index - 1]?.text ?? '')
    if (kind !== 'word' || !isDefault) return []
    return [{ path, line, message: 'has a default export; export it by its name' }]
  })
}

function declaredName(tokens: Source['tokens'], index: number): string | undefined {
  let at = index + 1
  while (MODIFIERS.has(tokens[at]?.text ?? '')) at++
  if (!DECLARATIONS.has(tokens[at]?.text ?? '')) return undefined
  const name = tokens[at + 1]
  if (tokens[at]?.text === 'type' && name?.kind !== 'word') return undefined
  return name?.kind === 'word' ? name.text : '{ … }'
}
