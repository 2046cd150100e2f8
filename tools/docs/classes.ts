import { enums } from '../../src/model/enums.ts'
import { commonErrors } from '../../src/model/errors.ts'
import { classes } from '../../src/model/index.ts'
import { type Class, defaultOfField, type Field } from '../../src/model/kernel/define.ts'
import { type Operation, operationsOf, visibleFields } from '../../src/model/kernel/operations.ts'
import { typeName } from '../../src/model/kernel/types.ts'
import { valueToText } from '../../src/engine/record-xml.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

/** The reference: a page of contents, one page a class, one for the enumerations. */
export function classPages(): [name: string, text: string][] {
  const all = Object.values(classes)
  return [
    ['api.md', contents(all)],
    ...all.map((of): [string, string] => [`${of.name}.md`, classPage(of)]),
    ['enumerations.md', enumerationPage()],
  ]
}

function contents(all: readonly Class[]): string {
  const rows = all.map(of => [`[\`${of.name}\`](${of.name}.md)`, of.doc, String(operationsOf(of).length)])
  return `${GENERATED_NOTE}# API reference

The Xen Management API, revision 0.2, as this server speaks it: every class with its fields and calls, made from the
declaration in \`src/model\`. See also the [enumerations](enumerations.md), the [errors](errors.md), and what each
[driver supports](support-matrix.md). The documents of \`to_XML\` are of [this type](polyvisor-0.2.dtd), which a
server answers at \`/dtd\`, and at \`/dtd/VM\` for a class alone.

${table(['Class', 'Description', 'Calls'], rows)}
Every call but \`session.login_with_password\` takes the session as its first argument, which the signatures below
leave out. \`Async.\` in front of a call (other than those of \`session\` and \`task\`) answers a task instead of
waiting. What is marked *extension* is not in the draft.

Besides its own errors, any call may answer: ${commonErrors.map(code => `\`${code}\``).join(', ')}.
`
}

function classPage(of: Class): string {
  const operations = operationsOf(of)
  const own = operations.filter(operation => operation.field === undefined)
  return `${GENERATED_NOTE}# Class \`${of.name}\`

${sentence(of.doc)} Source: ${of.source}.

## Fields

${fieldTable(of)}
## Calls

${own.map(callSection).join('')}${accessorSection(operations)}`
}

function fieldTable(of: Class): string {
  const fields = visibleFields(of)
  if (fields.length === 0) return `Class \`${of.name}\` has no fields.\n\n`
  return `${table(
    ['Qualifier', 'Field', 'Type', 'Default', 'Description'],
    fields.map(([path, field]) => [
      field.qualifier,
      `\`${path}\``,
      typeName(field.type),
      defaultText(field),
      fieldDoc(field),
    ]),
  )}\n`
}

const defaultText = (field: Field): string => {
  const text = valueToText(field.type, defaultOfField(field))
  return field.qualifier === 'RO_run' && field.onCreate !== true ? '' : text === '' ? '*empty*' : `\`${text}\``
}

function fieldDoc(field: Field): string {
  const notes = [
    field.unit === undefined ? '' : `In ${field.unit}.`,
    field.boundTo === undefined ? '' : `Bound to \`${field.boundTo}\`.`,
    field.onCreate === true ? 'A constructor takes it.' : '',
    field.extension === true ? '*Extension.*' : '',
  ]
  return [sentence(field.doc), ...notes.filter(note => note !== '')].join(' ')
}

function callSection(operation: Operation): string {
  const { name, params, result, doc, resultDoc, allowedIn, errors, extension, adminOnly } = operation
  const signature = params.map(param => `${typeName(param.type)} ${param.name}`).join(', ')
  const notes = [
    allowedIn === undefined ? '' : `Power state: ${allowedIn.join(' or ')}.`,
    adminOnly ? 'Administrators only.' : '',
    extension ? '*Extension.*' : '',
  ].filter(note => note !== '')
  const rows = params.map(param => [`\`${param.name}\``, typeName(param.type), sentence(param.doc)])
  return `### \`${name}\`

\`\`\`
${typeName(result)} ${name}(${signature})
\`\`\`

${[sentence(doc), ...notes].join(' ')}

${rows.length === 0 ? '' : `${table(['Argument', 'Type', 'Description'], rows)}\n`}${
  resultDoc === undefined ? '' : `Result: ${sentence(resultDoc)}\n\n`
}${errors.length === 0 ? '' : `Errors: ${[...new Set(errors)].map(code => `[\`${code}\`](errors.md#${code.toLowerCase()})`).join(', ')}.\n\n`}`
}

/** Accessors are many and alike: one table tells them all. */
function accessorSection(operations: readonly Operation[]): string {
  const accessors = operations.filter(operation => operation.field !== undefined)
  if (accessors.length === 0) return ''
  const rows = accessors.map(operation => [
    `\`${operation.name}\``,
    operation.params.map(param => `${typeName(param.type)} ${param.name}`).join(', '),
    typeName(operation.result),
    operation.extension ? '*Extension.*' : '',
  ])
  return `### Accessors\n\n${table(['Call', 'Arguments', 'Result', ''], rows)}`
}

function enumerationPage(): string {
  const sections = Object.values(enums).map(({ name, values }) => {
    const rows = Object.entries(values).map(([value, doc]) => [`\`${value}\``, doc])
    return `## ${name}\n\n${table(['Value', 'Meaning'], rows)}`
  })
  return `${GENERATED_NOTE}# Enumerations\n\nSource: Xen Management API rev 0.2, §2.3.3.\n\n${sections.join('\n')}`
}

const sentence = (text: string): string => {
  const trimmed = text.trim()
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
  return /[.!?]\)?$/.test(capital) ? capital : `${capital}.`
}
