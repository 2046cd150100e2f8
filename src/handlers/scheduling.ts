import type { Scheduling } from '../drivers/driver.ts'
import { fail } from '../model/errors.ts'

/** What a VM gets whose scheduling nobody chose. */
export const EVEN: Scheduling = { weight: 256, capPercent: null, affinity: null }

const WEIGHT_MAX = 65_535
const CPUS_MAX = 4096

/**
 * The scheduling that `VCPUs/policy` and `VCPUs/params` describe: `weight=512; cap=50; affinity=0-3,8`, each of them
 * optional, `cap` in percent of one CPU and 0 without a limit. The one policy is `credit`, also meant by an empty name.
 * Throws VALUE_NOT_SUPPORTED or INVALID_VALUE. Source: names and ranges as in Xen's credit scheduler.
 */
export function schedulingOf(policy: string, params: string): Scheduling {
  if (policy !== '' && policy !== 'credit') {
    throw fail('VALUE_NOT_SUPPORTED', { field: 'VCPUs_policy', value: policy.slice(0, 100), reason: 'there is credit' })
  }
  const invalid = () => fail('INVALID_VALUE', { field: 'VCPUs_params', value: params.slice(0, 200) })
  let scheduling = EVEN
  for (const pair of params.split(/[;\s]+|,(?=\s*[a-z]+\s*=)/).filter(part => part !== '')) {
    const [, name, text = ''] = /^([a-z]+)=([0-9,-]+)$/.exec(pair) ?? []
    if (name === 'weight') scheduling = { ...scheduling, weight: within(text, 1, WEIGHT_MAX, invalid) }
    else if (name === 'cap') scheduling = { ...scheduling, capPercent: within(text, 0, 100, invalid) || null }
    else if (name === 'affinity') scheduling = { ...scheduling, affinity: cpus(text, invalid) }
    else throw invalid()
  }
  return scheduling
}

function within(text: string, min: number, max: number, invalid: () => Error): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) throw invalid()
  return value
}

/** `0-3,8` as numbers, ascending and each once. */
function cpus(text: string, invalid: () => Error): readonly number[] {
  const numbers = text.split(',').flatMap(part => {
    const [first = '', last = first, ...rest] = part.split('-')
    if (rest.length > 0) throw invalid()
    const from = within(first, 0, CPUS_MAX - 1, invalid)
    const to = within(last, from, CPUS_MAX - 1, invalid)
    return Array.from({ length: to - from + 1 }, (_, offset) => from + offset)
  })
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}
