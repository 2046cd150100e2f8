import { PATTERN_LENGTH_MAX } from './pattern.ts'
import type { AnswerMode } from './plan.ts'

/** When a rule takes effect, once it matches. */
export interface Occasion {
  /** At this match alone, the first being 1. */
  readonly nth?: number
  /** At a match with this chance, above 0 and at most 1. */
  readonly probability?: number
  /** At most this many times. */
  readonly limit?: number
}

/** A rule for requests. What is left out matches everything; names are patterns with `*` and `?`. */
export interface RequestRule extends Occasion {
  readonly operation?: string
  readonly class?: string
  readonly method?: string
  readonly user?: string
  readonly fault: 'lost-before' | 'lost-after' | 'access-denied' | 'throttled' | 'slow'
  /** Of `slow`. */
  readonly ms?: number
}

/** A rule for jobs. */
export interface JobRule extends Occasion {
  readonly class?: string
  readonly type?: number
  readonly target?: string
  readonly slowness?: number
  readonly failure?: { readonly code: number; readonly message: string }
}

/** A plan as its file says it; docs/simulated-host.md describes the format. */
export interface PlanFile {
  readonly answers: AnswerMode
  readonly requests: readonly RequestRule[]
  readonly jobs: readonly JobRule[]
}

/** A plan that cannot be read. The message says where and what. */
export class PlanError extends Error {
  override readonly name = 'PlanError'
}

const RULES_MAX = 1_000
const MESSAGE_LENGTH_MAX = 4_096
const COUNT_MAX = 1_000_000
/** Longer than any client waits. */
const SLOW_MS_MAX = 3_600_000
const SLOWNESS_MAX = 100_000
const CODE_MAX = 0xffff_ffff

const OCCASION = ['nth', 'probability', 'limit']
const REQUEST_FIELDS = ['operation', 'class', 'method', 'user', 'fault', 'ms', ...OCCASION]
const JOB_FIELDS = ['class', 'type', 'target', 'slowness', 'failure', ...OCCASION]
const FAULTS = ['lost-before', 'lost-after', 'access-denied', 'throttled', 'slow'] as const
const ANSWERS = ['real', 'sync', 'async'] as const

type Fields = Readonly<Record<string, unknown>>

/** Reads the text of a plan. Throws PlanError. */
export function readPlan(text: string): PlanFile {
  const file = fieldsOf(parse(text), 'the plan', ['answers', 'requests', 'jobs'])
  return {
    answers: oneOf(file, 'answers', ANSWERS, 'the plan') ?? 'real',
    requests: listOf(file, 'requests').map(readRequestRule),
    jobs: listOf(file, 'jobs').map(readJobRule),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new PlanError(`the plan is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`)
  }
}

function readRequestRule(value: unknown, index: number): RequestRule {
  const where = `requests[${index}]`
  const fields = fieldsOf(value, where, REQUEST_FIELDS)
  const fault = oneOf(fields, 'fault', FAULTS, where)
  if (fault === undefined) throw new PlanError(`${where} lacks fault: one of ${FAULTS.join(', ')}`)
  const ms = numberOf(fields, 'ms', where, { min: 0, max: SLOW_MS_MAX })
  if ((fault === 'slow') !== (ms !== undefined)) throw new PlanError(`${where}: ms goes with slow, and slow with ms`)
  return {
    fault,
    ...optional('operation', patternIn(fields, 'operation', where)),
    ...optional('class', patternIn(fields, 'class', where)),
    ...optional('method', patternIn(fields, 'method', where)),
    ...optional('user', patternIn(fields, 'user', where)),
    ...optional('ms', ms),
    ...readOccasion(fields, where),
  }
}

function readJobRule(value: unknown, index: number): JobRule {
  const where = `jobs[${index}]`
  const fields = fieldsOf(value, where, JOB_FIELDS)
  const slowness = numberOf(fields, 'slowness', where, { min: 0, max: SLOWNESS_MAX, isFraction: true })
  const failure = fields['failure'] === undefined ? undefined : readFailure(fields['failure'], `${where}.failure`)
  if (slowness === undefined && failure === undefined) throw new PlanError(`${where} has neither slowness nor failure`)
  return {
    ...optional('class', patternIn(fields, 'class', where)),
    ...optional('type', numberOf(fields, 'type', where, { min: 0, max: 0xffff })),
    ...optional('target', patternIn(fields, 'target', where)),
    ...optional('slowness', slowness),
    ...optional('failure', failure),
    ...readOccasion(fields, where),
  }
}

function readFailure(value: unknown, where: string): { readonly code: number; readonly message: string } {
  const fields = fieldsOf(value, where, ['code', 'message'])
  const code = numberOf(fields, 'code', where, { min: 1, max: CODE_MAX })
  if (code === undefined) throw new PlanError(`${where} lacks code: what the job's ErrorCode is to be, such as 32768`)
  return { code, message: textIn(fields, 'message', where, MESSAGE_LENGTH_MAX) ?? 'The operation failed.' }
}

function readOccasion(fields: Fields, where: string): Occasion {
  const nth = numberOf(fields, 'nth', where, { min: 1, max: COUNT_MAX })
  const limit = numberOf(fields, 'limit', where, { min: 1, max: COUNT_MAX })
  const probability = numberOf(fields, 'probability', where, { min: 0, max: 1, isFraction: true })
  if (probability === 0) throw new PlanError(`${where}: a probability of 0 never takes effect; leave the rule out`)
  if (nth !== undefined && limit !== undefined)
    throw new PlanError(`${where}: nth is one match, so limit has no meaning`)
  return { ...optional('nth', nth), ...optional('probability', probability), ...optional('limit', limit) }
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [K in Name]?: Value } {
  const given: { [K in Name]?: Value } = {}
  if (value !== undefined) given[name] = value
  return given
}

function fieldsOf(value: unknown, where: string, known: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PlanError(`${where} is not an object`)
  }
  const fields: Fields = { ...value }
  const unknown = Object.keys(fields).find(name => !known.includes(name))
  if (unknown !== undefined) throw new PlanError(`${where} has no field ${unknown}; there are ${known.join(', ')}`)
  return fields
}

function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = fields[name]
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new PlanError(`${name} is not a list`)
  if (value.length > RULES_MAX) throw new PlanError(`${name} has more than ${RULES_MAX} rules`)
  return value
}

function oneOf<Word extends string>(
  fields: Fields,
  name: string,
  words: readonly Word[],
  where: string,
): Word | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  const word = words.find(each => each === value)
  if (word === undefined) throw new PlanError(`${where}: ${name} is none of ${words.join(', ')}`)
  return word
}

function textIn(fields: Fields, name: string, where: string, lengthMax: number): string | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '' || value.length > lengthMax) {
    throw new PlanError(`${where}: ${name} is not a text of 1 to ${lengthMax} characters`)
  }
  return value
}

function patternIn(fields: Fields, name: string, where: string): string | undefined {
  return textIn(fields, name, where, PATTERN_LENGTH_MAX)
}

function numberOf(
  fields: Fields,
  name: string,
  where: string,
  { min, max, isFraction = false }: { readonly min: number; readonly max: number; readonly isFraction?: boolean },
): number | undefined {
  const value = fields[name]
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= min && value <= max && (isFraction || Number.isInteger(value))) return value
  throw new PlanError(`${where}: ${name} is not ${isFraction ? 'a number' : 'a whole number'} from ${min} to ${max}`)
}
