import { type Type, typeName } from '../model/kernel/types.ts'

/** How values of one declared type are checked, and how they are written to the log: as what JSON can carry, exactly. */
export interface Codec {
  /**
   * The value as the store keeps it: a copy that the caller's later changes do not reach, frozen where it can be,
   * sets without duplicates. Throws TypeError for a value of another type.
   */
  readonly normalise: (value: unknown) => unknown
  /** What JSON carries for a normalised value. */
  readonly encode: (value: unknown) => unknown
  /** The value that was encoded. Throws TypeError for what this type never encodes. */
  readonly decode: (json: unknown) => unknown
  /** Whether two normalised values are the same. The order of a set counts, for it is kept. */
  readonly equal: (a: unknown, b: unknown) => boolean
}

/** The codec of a declared type. Throws TypeError for a type that no field may have. */
export function codecOf(type: Type): Codec {
  switch (type.kind) {
    case 'string':
    case 'ref':
      return plain(type, value => typeof value === 'string')
    case 'enum':
      return plain(type, value => typeof value === 'string' && Object.hasOwn(type.values, value))
    case 'bool':
      return plain(type, value => typeof value === 'boolean')
    case 'int':
      return intCodec(type)
    case 'float':
      return floatCodec(type)
    case 'dateTime':
      return dateCodec(type)
    case 'set':
      return setCodec(type, codecOf(type.of))
    case 'map':
      return mapCodec(type, codecOf(type.key), codecOf(type.value))
    case 'open':
      return byText(normaliseOpen, encodeOpen, decodeOpen)
    default:
      throw new TypeError(`no field may have the type ${typeName(type)}`)
  }
}

/** Types whose values JSON carries as they are. */
function plain(type: Type, fits: (value: unknown) => boolean): Codec {
  const check = (value: unknown) => (fits(value) ? value : refuse(type, value))
  return { normalise: check, encode: value => value, decode: check, equal: Object.is }
}

/** 64 bits, as decimal digits: a JSON number would lose them beyond 2^53. */
function intCodec(type: Type): Codec {
  const check = (value: unknown) =>
    typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : refuse(type, value)
  return {
    normalise: check,
    encode: String,
    decode: json => (typeof json === 'string' && /^-?\d+$/.test(json) ? check(BigInt(json)) : refuse(type, json)),
    equal: Object.is,
  }
}

/** The numbers that JSON has no form for are written as words. */
function floatCodec(type: Type): Codec {
  return {
    normalise: value => (typeof value === 'number' ? value : refuse(type, value)),
    encode: encodeFloat,
    decode: json => (typeof json === 'number' ? json : decodeFloatWord(type, json)),
    equal: Object.is,
  }
}

const FLOAT_WORDS: readonly number[] = [NaN, Infinity, -Infinity, -0]
const floatWord = (value: number) => (Object.is(value, -0) ? '-0' : String(value))
const encodeFloat = (value: unknown) =>
  typeof value === 'number' && FLOAT_WORDS.some(special => Object.is(special, value)) ? floatWord(value) : value

function decodeFloatWord(type: Type, json: unknown): number {
  return FLOAT_WORDS.find(special => floatWord(special) === json) ?? refuse(type, json)
}

/** Milliseconds since 1970. An invalid date is refused: it has no wire form. */
function dateCodec(type: Type): Codec {
  const time = (value: unknown) => (value instanceof Date ? value.getTime() : Number.NaN)
  const check = (value: unknown, ms: number) => (Number.isFinite(ms) ? new Date(ms) : refuse(type, value))
  return {
    normalise: value => check(value, time(value)),
    encode: time,
    decode: json => check(json, typeof json === 'number' ? json : Number.NaN),
    equal: (a, b) => time(a) === time(b),
  }
}

function setCodec(type: Type, element: Codec): Codec {
  const scalar = 'of' in type && isScalar(type.of)
  const unique = (values: readonly unknown[]) => {
    if (scalar) return new Set(values).size === values.length ? values : [...new Set(values)]
    return [...new Map(values.map(value => [JSON.stringify(element.encode(value)), value])).values()]
  }
  const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : refuse(type, value))
  return {
    normalise: value => Object.freeze(unique(items(value).map(element.normalise))),
    encode: value => items(value).map(element.encode),
    decode: json => Object.freeze(items(json).map(element.decode)),
    equal: (a, b) => {
      const [left, right] = [items(a), items(b)]
      return left.length === right.length && left.every((value, index) => element.equal(value, right[index]))
    },
  }
}

/** Written as pairs, for keys need not be strings. */
function mapCodec(type: Type, key: Codec, value: Codec): Codec {
  if ('key' in type && !isScalar(type.key)) throw new TypeError(`${typeName(type)}: the keys of a map must be scalars`)
  const entries = (map: unknown): readonly (readonly [unknown, unknown])[] =>
    map instanceof Map ? [...map.entries()] : refuse(type, map)
  const pairs = (json: unknown): readonly unknown[] => (Array.isArray(json) ? json : refuse(type, json))
  return byText(
    map => new Map(entries(map).map(([k, v]) => [key.normalise(k), value.normalise(v)])),
    map => entries(map).map(([k, v]) => [key.encode(k), value.encode(v)]),
    json =>
      new Map(
        pairs(json).map(pair =>
          Array.isArray(pair) && pair.length === 2 ? [key.decode(pair[0]), value.decode(pair[1])] : refuse(type, pair),
        ),
      ),
  )
}

/** Values compared by what is written for them. */
function byText(normalise: Codec['normalise'], encode: Codec['encode'], decode: Codec['decode']): Codec {
  const equal = (a: unknown, b: unknown) => a === b || JSON.stringify(encode(a)) === JSON.stringify(encode(b))
  return { normalise, encode, decode, equal }
}

/** Values that a JavaScript Map or Set compares as the declaration does. */
const isScalar = (type: Type) => ['string', 'ref', 'enum', 'bool', 'int', 'float'].includes(type.kind)

function normaliseOpen(value: unknown): unknown {
  if (value === null || ['string', 'boolean', 'number', 'bigint'].includes(typeof value)) return value
  if (value instanceof Date) return new Date(value)
  if (Array.isArray(value)) return Object.freeze(value.map(normaliseOpen))
  if (typeof value === 'object') return Object.freeze(mapMembers(value, normaliseOpen))
  throw new TypeError(`a ${typeof value} cannot be stored`)
}

/** Strings, booleans, ordinary numbers and null stand for themselves, the rest is an object with one telling member. */
function encodeOpen(value: unknown): unknown {
  if (typeof value === 'bigint') return { int: String(value) }
  if (typeof value === 'number') {
    const encoded = encodeFloat(value)
    return typeof encoded === 'string' ? { float: encoded } : encoded
  }
  if (value instanceof Date) return { date: value.getTime() }
  if (Array.isArray(value)) return value.map(encodeOpen)
  if (typeof value === 'object' && value !== null) return { struct: mapMembers(value, encodeOpen) }
  return value
}

function decodeOpen(json: unknown): unknown {
  if (Array.isArray(json)) return Object.freeze(json.map(decodeOpen))
  if (typeof json !== 'object' || json === null) return json
  if ('int' in json && typeof json.int === 'string') return BigInt(json.int)
  if ('float' in json) return decodeFloatWord({ kind: 'float' }, json.float)
  if ('date' in json) return new Date(typeof json.date === 'number' ? json.date : Number.NaN)
  if ('struct' in json && typeof json.struct === 'object' && json.struct !== null) {
    return Object.freeze(mapMembers(json.struct, decodeOpen))
  }
  throw new TypeError(`'${JSON.stringify(json)}' was not written by this store`)
}

/** `fromEntries` defines each member, so that one named `__proto__` is a member like any other. */
const mapMembers = (value: object, change: (member: unknown) => unknown) =>
  Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member)]))

const SHOWN_MAX = 80

function refuse(type: Type, value: unknown): never {
  const shown = typeof value === 'string' ? `'${value}'` : `${typeof value} ${String(value)}`
  throw new TypeError(`${shown.slice(0, SHOWN_MAX)} is not a value of type ${typeName(type)}`)
}
