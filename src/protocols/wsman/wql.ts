import { CimTimestamp } from './datetime.ts'
import type { EndpointReference } from './endpoint-reference.ts'
import { CimError } from './error.ts'
import { printObjectPath, relativePath } from './object-path.ts'
import { requireName } from './resource.ts'

/** A query in WQL, or a piece of one. Made by `wql` and its companions alone, so that no value can become syntax. */
export class Wql {
  readonly text: string

  constructor(text: string, key: symbol) {
    if (key !== MADE_HERE) throw new CimError('queries are made with the wql template')
    this.text = text
  }
}

/** What a query may be given: pieces of WQL are put in as they are, everything else as a literal. */
export type WqlValue = string | number | bigint | boolean | CimTimestamp | Wql

const MADE_HERE = Symbol('wql')

/**
 * A query whose `${values}` are literals: wql`SELECT * FROM Msvm_ComputerSystem WHERE Name = ${name}`. In a string,
 * backslash and quote are escaped with a backslash. Throws CimError for a value inside quotes of the template, a number
 * that is none, and a character that no XML document carries.
 * Source: Microsoft Learn, "WHERE clause (WMI)"; KB242507.
 */
export function wql(strings: TemplateStringsArray, ...values: readonly WqlValue[]): Wql {
  let text = strings[0] ?? ''
  let quote = quoteAfter(text, '')
  values.forEach((value, index) => {
    if (quote !== '') throw new CimError('a value of a query may not stand in quotes; it brings its own')
    const next = strings[index + 1] ?? ''
    text += literal(value) + next
    quote = quoteAfter(next, quote)
  })
  if (quote !== '') throw new CimError('a query whose quotes do not end')
  return new Wql(text, MADE_HERE)
}

/** The name of a class or property, to be put in a query. Throws CimError where it is none. */
export function wqlName(name: string): Wql {
  return new Wql(requireName(name), MADE_HERE)
}

/** The names of properties, with commas between, for SELECT. Throws CimError for none. */
export function wqlNames(names: readonly string[]): Wql {
  if (names.length === 0) throw new CimError('no properties to select')
  return new Wql(names.map(requireName).join(', '), MADE_HERE)
}

/** True where each of the conditions is. Throws CimError where there is none. */
export function allOf(conditions: readonly Wql[]): Wql {
  return joined(conditions, 'AND')
}

/** True where one of the conditions is. Throws CimError where there is none. */
export function anyOf(conditions: readonly Wql[]): Wql {
  return joined(conditions, 'OR')
}

/**
 * A pattern for LIKE whose `${values}` stand for themselves: like`Microsoft:${id}%`. In what is around them, `%`, `_` and
 * `[…]` have their meaning. Source: Microsoft Learn, "LIKE operator (WMI)".
 */
export function like(strings: TemplateStringsArray, ...values: readonly string[]): string {
  return strings.map((part, index) => part + (values[index] ?? '').replace(/[[%_]/g, '[$&]')).join('')
}

/** Which associated instances are meant. Roles are the names of the association's properties. */
export interface Association {
  readonly associationClass?: string
  readonly resultClass?: string
  readonly role?: string
  readonly resultRole?: string
}

/**
 * The instances that are associated with `of`. Its namespace is that of the query. Throws CimError for names that are
 * none, and for keys with a closing brace, which would end the path.
 * Source: Microsoft Learn, "ASSOCIATORS OF statement".
 */
export function associatorsOf(of: EndpointReference, association: Association = {}): Wql {
  const { associationClass, resultClass, role, resultRole } = association
  return related('ASSOCIATORS', of, {
    AssocClass: associationClass,
    ResultClass: resultClass,
    Role: role,
    ResultRole: resultRole,
  })
}

/** The associations themselves in which `of` stands. Source: Microsoft Learn, "REFERENCES OF statement". */
export function referencesOf(of: EndpointReference, association: Omit<Association, 'associationClass'> = {}): Wql {
  return related('REFERENCES', of, { ResultClass: association.resultClass, Role: association.role })
}

function related(what: string, of: EndpointReference, terms: Readonly<Record<string, string | undefined>>): Wql {
  const path = printObjectPath(relativePath(of))
  if (path.includes('}')) throw new CimError('a key with a closing brace cannot be named in a query')
  const given = Object.entries(terms).flatMap(([term, name]) =>
    name === undefined ? [] : [` ${term} = ${requireName(name)}`],
  )
  const where = given.length === 0 ? '' : ` WHERE${given.join('')}`
  return new Wql(`${what} OF {${path}}${where}`, MADE_HERE)
}

/** Each condition has parentheses of its own, for it may itself be one of several, and AND binds closer than OR. */
function joined(conditions: readonly Wql[], operator: string): Wql {
  if (conditions.length === 0) throw new CimError('no conditions to join')
  return new Wql(`(${conditions.map(({ text }) => `(${text})`).join(` ${operator} `)})`, MADE_HERE)
}

function literal(value: WqlValue): string {
  if (value instanceof Wql) return value.text
  if (value instanceof CimTimestamp) return quoted(value.toCim())
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  const text = String(value)
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw new CimError(`${text} is no number that WQL has a spelling for`)
  return text
}

function quoted(value: string): string {
  return `'${value.replace(/[\\']/g, '\\$&')}'`
}

/** The quote that is still open behind `text`, when `open` was before it. */
function quoteAfter(text: string, open: string): string {
  let quote = open
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (quote === '' && (character === "'" || character === '"')) quote = character
    else if (character === quote) quote = ''
    else if (quote !== '' && character === '\\') at++
  }
  return quote
}
