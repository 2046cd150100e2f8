import { type ObjectPath, parsePath } from '../cim/path.ts'
import { type Condition, readCondition } from './condition.ts'
import { Cursor } from './cursor.ts'
import { syntaxError, WqlError } from './wql-error.ts'

// What can be asked in WQL. Sources: Microsoft Learn, "SELECT Statement for Data Queries", "WHERE Clause (WMI)",
// "ASSOCIATORS OF Statement", "REFERENCES OF Statement".

export interface SelectQuery {
  readonly kind: 'select'
  /** As spelled; undefined for all. */
  readonly properties?: readonly string[]
  readonly className: string
  readonly where?: Condition
}

export interface AssociatorsQuery {
  readonly kind: 'associators'
  readonly of: ObjectPath
  readonly associationClass?: string
  readonly resultClass?: string
  readonly role?: string
  readonly resultRole?: string
  readonly requiredQualifier?: string
  readonly requiredAssociationQualifier?: string
}

export interface ReferencesQuery {
  readonly kind: 'references'
  readonly of: ObjectPath
  readonly resultClass?: string
  readonly role?: string
  readonly requiredQualifier?: string
}

export type Query = SelectQuery | AssociatorsQuery | ReferencesQuery

const PROPERTIES_MAX = 512

/** Reads a query, whose names are not looked up. Throws WqlError for whatever is not a data query. */
export function parseWql(text: string): Query {
  const cursor = new Cursor(text)
  const query = readQuery(cursor)
  cursor.expectEnd()
  return query
}

function readQuery(cursor: Cursor): Query {
  if (cursor.takeWord('select')) return readSelect(cursor)
  if (cursor.takeWord('associators')) {
    const { of, terms } = readTraversal(cursor, ASSOCIATORS_TERMS)
    return { kind: 'associators', of, ...terms }
  }
  if (cursor.takeWord('references')) {
    const { of, terms } = readTraversal(cursor, REFERENCES_TERMS)
    return { kind: 'references', of, ...terms }
  }
  throw syntaxError('neither SELECT nor ASSOCIATORS OF nor REFERENCES OF')
}

function readSelect(cursor: Cursor): SelectQuery {
  const properties = cursor.takeSymbol('*') ? undefined : readProperties(cursor)
  if (!cursor.takeWord('from')) throw syntaxError('FROM is missing')
  const className = cursor.expectName('a class')
  const where = cursor.takeWord('where') ? readCondition(cursor) : undefined
  return {
    kind: 'select',
    className,
    ...(properties === undefined ? {} : { properties }),
    ...(where === undefined ? {} : { where }),
  }
}

function readProperties(cursor: Cursor): string[] {
  const properties: string[] = []
  do {
    if (properties.length >= PROPERTIES_MAX) throw new WqlError('limit', `more than ${PROPERTIES_MAX} properties`)
    properties.push(cursor.expectName('a property'))
  } while (cursor.takeSymbol(','))
  return properties
}

const REFERENCES_TERMS = {
  resultclass: 'resultClass',
  role: 'role',
  requiredqualifier: 'requiredQualifier',
} as const
const ASSOCIATORS_TERMS = {
  ...REFERENCES_TERMS,
  assocclass: 'associationClass',
  resultrole: 'resultRole',
  requiredassocqualifier: 'requiredAssociationQualifier',
} as const

/** These ask for definitions of classes, or for less than an instance: nothing that WS-Management carries. */
const UNSUPPORTED: ReadonlySet<string> = new Set(['classdefsonly', 'schemaonly', 'keysonly'])

/** The terms behind WHERE are separated by blanks. */
function readTraversal<T extends string>(
  cursor: Cursor,
  known: Readonly<Record<string, T>>,
): { readonly of: ObjectPath; readonly terms: Partial<Record<T, string>> } {
  if (!cursor.takeWord('of')) throw syntaxError('OF is missing')
  const of = readObject(cursor)
  const terms: Partial<Record<T, string>> = {}
  if (!cursor.takeWord('where')) return { of, terms }
  do {
    const word = cursor.expectName('a term').toLowerCase()
    if (UNSUPPORTED.has(word)) throw new WqlError('unsupported', `${word} asks for no instances`)
    const term = Object.hasOwn(known, word) ? known[word] : undefined
    if (term === undefined || terms[term] !== undefined) throw syntaxError(`the term ${word}, or twice the same`)
    if (!cursor.takeSymbol('=')) throw syntaxError(`= is missing behind ${word}`)
    terms[term] = cursor.takeString() ?? cursor.expectName('a name')
  } while (!cursor.isAtEnd())
  return { of, terms }
}

function readObject(cursor: Cursor): ObjectPath {
  const path = parsePath(cursor.expectBraces().trim())
  if (path === undefined) throw syntaxError('what stands in braces is no object path')
  if (path.keys.size === 0 && path.isSingleton !== true) {
    throw new WqlError('unsupported', 'what stands in braces is a class and no instance')
  }
  return path
}
