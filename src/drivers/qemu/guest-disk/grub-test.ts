type Look = (file: string) => Promise<{ readonly isFolder: boolean; readonly bytes: number } | undefined>

/** The command `test` of GRUB's shell, without parentheses. Source: GNU GRUB manual 2.06, "test". */
export async function test(words: readonly string[], look: Look): Promise<boolean> {
  const or = words.lastIndexOf('-o')
  if (or > 0) return (await test(words.slice(0, or), look)) || test(words.slice(or + 1), look)
  const and = words.lastIndexOf('-a')
  if (and > 0) return (await test(words.slice(0, and), look)) && test(words.slice(and + 1), look)
  const [first, second, third] = words
  if (first === '!' && words.length > 1) return !(await test(words.slice(1), look))
  if (first === undefined) return false
  if (second === undefined) return first !== ''
  return third === undefined ? unary(first, second, look) : binary(first, second, third)
}

async function unary(operator: string, value: string, look: Look): Promise<boolean> {
  if (operator === '-z') return value === ''
  if (operator === '-n') return value !== ''
  if (!['-e', '-f', '-d', '-s'].includes(operator)) return false
  const found = await look(value)
  if (found === undefined) return false
  if (operator === '-d') return found.isFolder
  if (operator === '-f') return !found.isFolder
  return operator === '-e' || found.bytes > 0
}

function binary(left: string, operator: string, right: string): boolean {
  const order = Number(left) - Number(right)
  switch (operator) {
    case '=':
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    case '-eq':
      return order === 0
    case '-ne':
      return order !== 0
    case '-lt':
      return order < 0
    case '-le':
      return order <= 0
    case '-gt':
      return order > 0
    case '-ge':
      return order >= 0
    default:
      return false
  }
}
