/**
 * The document type of what `to_XML` answers, made from the declaration.
 * Source: Xen Management API rev 0.2, §2.15; Extensible Markup Language 1.0, §3.2.
 */

import { classes } from '../model/index.ts'
import type { Class } from '../model/kernel/define.ts'
import { visibleFields } from '../model/kernel/operations.ts'
import { typeName } from '../model/kernel/types.ts'
import { elementName } from './record-xml.ts'

/**
 * The document type definition of the documents of some classes: an element for each class, and one for each field,
 * in the order of the declaration. A document type knows no name twice: where a field of one class has another class's
 * name (`VBD.VM`), that element is declared to hold either, text or fields. One class alone has no such names, so its
 * own document type is exact.
 */
export function dtd(of: readonly Class[]): string {
  const roots = of.filter(({ objects }) => objects !== 'none')
  const fields = fieldElements(roots)
  const names = new Set(roots.map(({ name }) => name))
  const leaves = [...fields].filter(([name]) => !names.has(name)).map(([name, uses]) => leafElement(name, uses))
  const own = roots.map(root => rootElement(root, fields.get(root.name) ?? []))
  return `${HEAD}\n${own.join('\n')}\n${leaves.join('\n')}`
}

const HEAD = `<?xml version="1.0" encoding="UTF-8"?>
<!-- Xen Management API, revision 0.2: the documents that to_XML answers.
     Values are simple strings: 5, true, 20061122T08:00:00Z; the elements of a set are separated by commas: 1, 2, 3;
     so are the pairs of a map: (1, 2), (2, 3). Within a set or map, text that is empty, begins or ends with a space, or
     holds a comma, a bracket, a quotation mark, a backslash or a control character stands in quotation marks; there, a
     backslash precedes each quotation mark and backslash. -->
`

/** The document type of all classes, or of the one with this name; undefined where no class of that name has documents. */
export function documentType(className?: string): string | undefined {
  const of = Object.values(classes).filter(({ name }) => className === undefined || name === className)
  return of.some(({ objects }) => objects !== 'none') ? dtd(of) : undefined
}

/** By element, what it stands for: `VM.name/label: string`. */
function fieldElements(roots: readonly Class[]): ReadonlyMap<string, readonly string[]> {
  const elements = new Map<string, string[]>()
  for (const root of roots) {
    for (const [path, { type }] of visibleFields(root)) {
      const name = elementName(path)
      const uses = elements.get(name) ?? []
      elements.set(name, [...uses, `${root.name}.${path}: ${typeName(type)}`])
    }
  }
  return elements
}

function rootElement(root: Class, uses: readonly string[]): string {
  const names = visibleFields(root).map(([path]) => elementName(path))
  const model = uses.length === 0 ? `(${names.join(',\n  ')})` : `(#PCDATA | ${names.join(' |\n  ')})*`
  return `${comment([root.doc, ...uses])}\n<!ELEMENT ${root.name} ${model}>\n`
}

const leafElement = (name: string, uses: readonly string[]): string =>
  `${comment(uses)}\n<!ELEMENT ${name} (#PCDATA)>\n`

/** Two hyphens would end a comment, so the arrow of a map is written without its shaft. */
const comment = (lines: readonly string[]): string => `<!-- ${lines.join('; ').replaceAll(/-{2,}/g, '-')} -->`
