import { errors } from '../../src/model/errors.ts'
import { classes } from '../../src/model/index.ts'
import { operationsOf } from '../../src/model/kernel/operations.ts'
import { GENERATED_NOTE, table } from './markdown.ts'

/** Every error a client can receive, and which calls declare it. */
export function errorPage(): string {
  const operations = Object.values(classes).flatMap(of => operationsOf(of))
  const sections = Object.entries(errors.table).map(([code, { params, doc }]) => {
    const users = operations.filter(operation => operation.errors.some(error => error === code)).map(({ name }) => name)
    const shown =
      users.length > 12
        ? `${users.slice(0, 12).join('`, `')}\` and ${users.length - 12} more`
        : `${users.join('`, `')}\``
    return `## ${code}\n\n${doc}\n\n${params.length === 0 ? 'No parameters.' : `Parameters: ${params.map(name => `\`${name}\``).join(', ')}.`}${
      users.length === 0 ? '' : `\n\nDeclared by \`${shown}.`
    }\n`
  })
  const summary = Object.entries(errors.table).map(([code, { params }]) => [
    `[\`${code}\`](#${code.toLowerCase()})`,
    params.join(', '),
  ])
  return `${GENERATED_NOTE}# Errors

A failed call answers \`Status\` = \`Failure\` and \`ErrorDescription\`: an array of strings, the code first, then its
parameters in this order.

${table(['Code', 'Parameters'], summary)}
${sections.join('\n')}`
}
