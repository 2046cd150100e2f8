import { randomOf } from '../host/random.ts'
import type { Locale } from '../host/texts.ts'
import { faultOfFixture } from './fixtures.ts'
import { patternOf } from './pattern.ts'
import type { Faults, JobFacts, JobFault, RequestFacts, RequestFault } from './plan.ts'
import type { JobRule, Occasion, PlanFile, RequestRule } from './plan-file.ts'

/** A plan in which nothing goes wrong but what a name brings about. */
export const EMPTY_PLAN: PlanFile = { answers: 'real', requests: [], jobs: [] }

export interface SeededOptions {
  readonly plan?: PlanFile
  /** Decides all chance; without one it is true chance. */
  readonly seed?: string
  /** In which language jobs say what went wrong. */
  readonly locale?: Locale
}

/** A rule that is in force: what it matches, and whether this match is an occasion for it. */
interface Rule<Facts, Fault> {
  matches(facts: Facts): boolean
  /** Counts the match. */
  isDue(): boolean
  readonly fault: Fault
}

/**
 * The faults of a plan, and those that names bring about. The first rule that matches and is due decides, and those
 * behind it do not count that match. Every rule has its own chance, so that one more rule changes nothing for others.
 */
export function seededFaults({ plan = EMPTY_PLAN, seed, locale = 'en-US' }: SeededOptions = {}): Faults {
  const requests = plan.requests.map((rule, index) => requestRule(rule, chanceOf(seed, 'request', index)))
  const jobs = plan.jobs.map((rule, index) => jobRule(rule, chanceOf(seed, 'job', index)))
  return {
    answers: plan.answers,
    ofRequest: facts => firstDue(requests, facts),
    ofJob(facts) {
      const [byName, byPlan] = [faultOfFixture(facts, locale), firstDue(jobs, facts)]
      return byName === undefined || byPlan === undefined ? (byPlan ?? byName) : { ...byName, ...byPlan }
    },
  }
}

function chanceOf(seed: string | undefined, kind: string, index: number): () => number {
  const random = randomOf(seed === undefined ? undefined : `${seed}/faults/${kind}/${index}`)
  return () => random.fraction()
}

function firstDue<Facts, Fault>(rules: readonly Rule<Facts, Fault>[], facts: Facts): Fault | undefined {
  return rules.find(rule => rule.matches(facts) && rule.isDue())?.fault
}

function requestRule(rule: RequestRule, chance: () => number): Rule<RequestFacts, RequestFault> {
  const operation = matcherOf(rule.operation)
  const cls = matcherOf(rule.class)
  const method = matcherOf(rule.method)
  const user = matcherOf(rule.user)
  const { fault } = rule
  return {
    matches: facts => operation(facts.operation) && cls(facts.className) && method(facts.method) && user(facts.user),
    isDue: occasionOf(rule, chance),
    fault: fault === 'slow' ? { kind: 'slow', ms: rule.ms ?? 0 } : { kind: fault },
  }
}

function jobRule(rule: JobRule, chance: () => number): Rule<JobFacts, JobFault> {
  const cls = matcherOf(rule.class)
  const target = matcherOf(rule.target)
  return {
    matches: facts =>
      cls(facts.className) && target(facts.target) && (rule.type === undefined || rule.type === facts.type),
    isDue: occasionOf(rule, chance),
    fault: {
      ...(rule.slowness === undefined ? {} : { slowness: rule.slowness }),
      ...(rule.failure === undefined ? {} : { failure: rule.failure }),
    },
  }
}

/** A rule that asks for a name does not match what has none. */
function matcherOf(pattern: string | undefined): (text: string | undefined) => boolean {
  if (pattern === undefined) return () => true
  const matches = patternOf(pattern)
  return text => text !== undefined && matches(text)
}

function occasionOf({ nth, probability, limit }: Occasion, chance: () => number): () => boolean {
  let matches = 0
  let times = 0
  return () => {
    matches++
    // Drawn at every match, so that what came before does not shift it.
    const isLucky = probability === undefined || chance() < probability
    const isDue = isLucky && (nth === undefined || matches === nth) && (limit === undefined || times < limit)
    if (isDue) times++
    return isDue
  }
}
