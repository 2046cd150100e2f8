import type { Finding, Source } from './source.ts'

const IS_TEST_FILE = /\.test\.ts$/
const MAKERS = new Set(['test', 'it', 'describe', 'suite'])
const EXCUSES = new Set(['skip', 'todo', 'only'])

/** Test files without a test; a call of a shared suite, `describeSomething(…)`, is one. */
export function findEmptyTests({ path, code }: Source): Finding[] {
  if (!IS_TEST_FILE.test(path)) return []
  const isMade = code.some(({ kind, text }, index) => {
    return kind === 'word' && code[index + 1]?.text === '(' && (MAKERS.has(text) || /^describe[A-Z]/.test(text))
  })
  return isMade ? [] : [{ path, line: 1, message: 'is named a test and holds none; write one or rename it' }]
}

/** Test names that say what ought to be instead of what is. */
export function findWishes({ path, code }: Source): Finding[] {
  return code.flatMap(({ text, line }, index) => {
    const [bracket, name] = [code[index + 1], code[index + 2]]
    if (!MAKERS.has(text) || bracket?.text !== '(' || !/\bshould\b/i.test(name?.text ?? '')) return []
    if (name?.kind !== 'string' && name?.kind !== 'template') return []
    return [{ path, line, message: 'says what a thing ought to do; say what it does: "refuses …", not "… refuse …"' }]
  })
}

/** Tests that are left out, or that leave out all others. */
export function findExcuses({ path, code }: Source): Finding[] {
  return code.flatMap(({ text, line }, index) => {
    const [dot, maker] = [code[index - 1]?.text, code[index - 2]?.text ?? '']
    const isCalled = dot === '.' && (MAKERS.has(maker) || ['t', 'context'].includes(maker))
    const isOption = IS_TEST_FILE.test(path) && code[index + 1]?.text === ':' && ['{', ','].includes(dot ?? '')
    if (!EXCUSES.has(text) || !(isCalled || isOption)) return []
    return [{ path, line, message: `leaves tests out by ${text}; make the test pass or do not register it` }]
  })
}
