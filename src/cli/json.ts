const INDENT = '  '

/**
 * A value as JSON, exactly: a bigint with all its digits, a Map as an object, a Date in ISO 8601. Readers that take
 * every number for a double lose digits beyond 2^53; jq 1.7 and Python do not.
 */
export function jsonText(value: unknown, indent = ''): string {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Date) return JSON.stringify(value)
  const inner = indent + INDENT
  if (Array.isArray(value))
    return bracketed(
      '[',
      ']',
      value.map(element => jsonText(element, inner)),
      indent,
    )
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  const members = entries.map(([key, member]) => `${JSON.stringify(String(key))}: ${jsonText(member, inner)}`)
  return bracketed('{', '}', members, indent)
}

function bracketed(open: string, close: string, parts: readonly string[], indent: string): string {
  if (parts.length === 0) return open + close
  return `${open}\n${parts.map(part => indent + INDENT + part).join(',\n')}\n${indent}${close}`
}
