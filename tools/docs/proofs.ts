/** Which test proves what, read off comments above the tests, such as `// Proves: VM.start`. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { classes } from '../../src/model/index.ts'
import type { Class } from '../../src/model/kernel/define.ts'
import { visibleFields } from '../../src/model/kernel/operations.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

/** A test that proves something. */
export interface Proof {
  readonly file: string
  readonly title: string
}

const TESTS = join(import.meta.dirname, '..', '..', 'test')
/** Comments, whatever else stands above the test, and the test's title. */
const proofOf = (word: Word): RegExp =>
  new RegExp(
    `((?:^[ \\t]*// ${word}: .*\\n)+)([\\s\\S]{0,400}?)\\b(?:test|it|describe)\\(\\s*(['"\`])((?:\\\\.|(?!\\3).)*)\\3`,
    'gm',
  )

/** With which word comments begin: a test proves an item of an API, or validates what a document says can be done. */
export type Word = 'Proves' | 'Validates'

/** What a comment of this word names, such as `class.item`, with the tests under it in the order of their files. */
export function proofs(word: Word = 'Proves'): ReadonlyMap<string, readonly Proof[]> {
  const found = new Map<string, Proof[]>()
  const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
  for (const file of files.toSorted()) {
    for (const [, comment = '', , , title = ''] of readFileSync(join(TESTS, file), 'utf8').matchAll(proofOf(word))) {
      const names = comment.replaceAll(new RegExp(`^[ \\t]*// ${word}:`, 'gm'), ',').split(/[,\n]/)
      for (const name of names.map(text => text.trim()).filter(text => text !== '')) {
        found.set(name, [...(found.get(name) ?? []), { file, title: plain(title) }])
      }
    }
  }
  return found
}

const plain = (title: string): string => title.replaceAll(/\$\{[^}]*\}/g, '…').replaceAll('\\', '')

/** Every field and message of the API, by `class.item`, in the order of the declaration. */
export function provable(of: Class): readonly string[] {
  const fields = visibleFields(of).map(([path]) => path)
  return [...fields, ...Object.keys(of.messages)].map(item => `${of.name}.${item}`)
}

/** The page: a table for each class. */
export function proofsPage(): string {
  const found = proofs()
  const sections = Object.values(classes).map((of: Class) => section(of, found))
  return `${GENERATED_NOTE}# What proves each field and message

For every field and message of every class: the tests that show what it does, most of them with real guests under QEMU.
What only a driver's host can do is refused where the driver does not have the group of operations for it; the
[support matrix](support-matrix.md) shows which has which. Items marked *ours* are not in the draft.

${sections.join('\n')}`
}

function section(of: Class, found: ReadonlyMap<string, readonly Proof[]>): string {
  const fields = visibleFields(of).map(([path, field]) => [path, field.qualifier, field.extension === true] as const)
  const messages = Object.entries(of.messages).map(
    ([name, message]) => [name, 'message', message.extension === true] as const,
  )
  const rows = [...fields, ...messages].map(([item, kind, isOurs]) => [
    `\`${item}\``,
    isOurs ? `${kind}, *ours*` : kind,
    (found.get(`${of.name}.${item}`) ?? []).map(({ file, title }) => `${title} (\`${file}\`)`).join('; '),
  ])
  return `## ${of.name}\n\n${table(['Field or message', 'Kind', 'Proven by'], rows)}`
}
