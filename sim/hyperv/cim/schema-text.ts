import assert from 'node:assert/strict'
import type { CimType, CimValue } from './model.ts'

// How a data file of ../schema is read: one class, property or method a line. README.md beside the files tells how
// they are written. They are part of the program: what does not fit is a mistake of ours, and asserted.

/** Windows builds, as inclusive ranges; an open end is Infinity. */
type Builds = readonly (readonly [number, number])[]

interface Typed {
  readonly name: string
  readonly type: CimType
  readonly isArray: boolean
  /** Of a reference, an object, or a string that carries an instance. */
  readonly className?: string
}

export interface PropertyText extends Typed {
  readonly isKey: boolean
  readonly isWritable: boolean
  readonly isOctetString: boolean
  readonly fallback?: CimValue
  readonly builds: Builds
}

export interface ParameterText extends Typed {
  readonly isIn: boolean
  readonly isOut: boolean
}

export interface MethodText {
  readonly name: string
  readonly parameters: readonly ParameterText[]
  readonly builds: Builds
}

export interface ClassText {
  readonly name: string
  readonly superclass?: string
  readonly isAssociation: boolean
  readonly isAbstract: boolean
  readonly isSingleton: boolean
  readonly builds: Builds
  readonly properties: PropertyText[]
  readonly methods: MethodText[]
}

const CLASS = /^class (\w+)(?: : (\w+))?((?: (?:association|abstract|singleton))*)(?: @(\S+))?$/
const PROPERTY = /^ {2}(\w+) (\S+)((?: (?:key|write|octets))*)(?: embeds:(\w+))?(?: = ("[^"]*"|\S+))?(?: @(\S+))?$/
const METHOD_START = /^ {2}\w+\(/
const METHOD = /^ {2}(\w+)\((.*)\)(?: @(\S+))?$/
const PARAMETER = /^(in|out|inout) (\w+) (\S+)(?: embeds:(\w+))?$/
const TYPE = /^(?:(ref|object):(\w+)|([a-z]+\d*))(\[\])?$/
const BUILDS = /^(\d+)(?:(\+)|-(\d+))?$/

const SCALAR_TYPES: ReadonlyMap<string, CimType> = new Map<string, CimType>(
  (
    [
      'boolean',
      'string',
      'char16',
      'uint8',
      'uint16',
      'uint32',
      'uint64',
      'sint8',
      'sint16',
      'sint32',
      'sint64',
      'real32',
      'real64',
      'datetime',
    ] as const
  ).map(type => [type, type]),
)

/** The classes of a data file, in its order. */
export function readSchemaText(text: string): ClassText[] {
  const classes: ClassText[] = []
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    if (!line.startsWith(' ')) {
      classes.push(readClass(line))
      continue
    }
    const last = classes.at(-1)
    assert(last !== undefined, `no class before ${line}`)
    if (METHOD_START.test(line)) last.methods.push(readMethod(line))
    else last.properties.push(readProperty(line))
  }
  return classes
}

/** Whether `build` is among `builds`. */
export function isIn(builds: Builds, build: number): boolean {
  return builds.some(([first, last]) => build >= first && build <= last)
}

function readClass(line: string): ClassText {
  const match = CLASS.exec(line)
  assert(match !== null, `not a class: ${line}`)
  const [, name = '', superclass, marks = '', builds] = match
  return {
    name,
    ...(superclass === undefined ? {} : { superclass }),
    isAssociation: marks.includes(' association'),
    isAbstract: marks.includes(' abstract'),
    isSingleton: marks.includes(' singleton'),
    builds: readBuilds(builds),
    properties: [],
    methods: [],
  }
}

function readProperty(line: string): PropertyText {
  const match = PROPERTY.exec(line)
  assert(match !== null, `not a property: ${line}`)
  const [, name = '', type = '', marks = '', embedded, fallback, builds] = match
  const typed = readTyped(name, type, embedded)
  return {
    ...typed,
    isKey: marks.includes(' key'),
    isWritable: marks.includes(' write'),
    isOctetString: marks.includes(' octets'),
    ...(fallback === undefined ? {} : { fallback: readFallback(typed, fallback) }),
    builds: readBuilds(builds),
  }
}

function readMethod(line: string): MethodText {
  const match = METHOD.exec(line)
  assert(match !== null, `not a method: ${line}`)
  const [, name = '', parameters = '', builds] = match
  return {
    name,
    parameters: parameters === '' ? [] : parameters.split(', ').map(readParameter),
    builds: readBuilds(builds),
  }
}

function readParameter(text: string): ParameterText {
  const match = PARAMETER.exec(text)
  assert(match !== null, `not a parameter: ${text}`)
  const [, direction = '', name = '', type = '', embedded] = match
  return { ...readTyped(name, type, embedded), isIn: direction !== 'out', isOut: direction !== 'in' }
}

function readTyped(name: string, text: string, embedded: string | undefined): Typed {
  const match = TYPE.exec(text)
  assert(match !== null, `not a type: ${text}`)
  const [, kind, target, scalar, array] = match
  const type = kind === undefined ? SCALAR_TYPES.get(scalar ?? '') : kind === 'ref' ? 'reference' : 'object'
  assert(type !== undefined, `no such type: ${text}`)
  const className = target ?? embedded
  return { name, type, isArray: array !== undefined, ...(className === undefined ? {} : { className }) }
}

function readFallback(of: Typed, text: string): CimValue {
  if (of.isArray) {
    assert.equal(text, '{}', `a default of ${of.name} that is not the empty array`)
    return []
  }
  if (text.startsWith('"')) return text.slice(1, -1)
  if (of.type === 'boolean') return text === 'TRUE'
  return of.type === 'uint64' || of.type === 'sint64' ? BigInt(text) : Number(text)
}

function readBuilds(text: string | undefined): Builds {
  if (text === undefined) return [[0, Infinity]]
  return text.split(',').map(range => {
    const match = BUILDS.exec(range)
    assert(match !== null, `not a range of builds: ${range}`)
    const [, first = '', plus, last] = match
    return [Number(first), plus === undefined ? Number(last ?? first) : Infinity]
  })
}
