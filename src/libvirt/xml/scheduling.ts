import type { Scheduling } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_CONFIG_UNSUPPORTED, VIR_ERR_INTERNAL_ERROR, VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

const WEIGHT_MIN = 1
const WEIGHT_MAX = 65_535
const WEIGHT_USUAL = 256
/** In microseconds. Source: libvirt, formatdomain, "CPU Tuning". */
const PERIOD_USUAL = 100_000
const PERIOD_MIN = 1_000
const PERIOD_MAX = 1_000_000
const QUOTA_MIN = 1_000
const QUOTA_MAX = 17_592_186_044_415
/** Hosts have no more CPUs than this. */
const CPUS_MAX = 4_096
const VCPUS_MAX = 4_096

/** What `<vcpu>` and `<cputune>` say. */
export interface Cpus {
  readonly vcpus: number
  readonly scheduling?: Scheduling
}

/**
 * Reads `<vcpu>` and `<cputune>`: `shares` are the weight, `quota` by `period` is the cap, `cpuset` the affinity. Fewer
 * virtual CPUs at first than later, and affinities of single ones, are refused.
 */
export function readCpus(domain: Reading): Cpus {
  const vcpu = domain.child('vcpu')
  const vcpus = vcpu === undefined ? 1 : readCount(vcpu)
  const affinity = vcpu === undefined ? null : readSet(vcpu)
  const tune = domain.child('cputune')
  const weight = tune && readNumber(tune, 'shares', WEIGHT_MIN, WEIGHT_MAX)
  const capPercent = tune === undefined ? null : readCap(tune)
  if (affinity === null && weight === undefined && capPercent === null) return { vcpus }
  return { vcpus, scheduling: { weight: weight ?? WEIGHT_USUAL, capPercent, affinity } }
}

function readCount(vcpu: Reading): number {
  const text = vcpu.text()
  if (!/^\d{1,10}$/.test(text)) return vcpu.fail(VIR_ERR_XML_ERROR, 'maximum vcpus count must be an integer')
  const count = Number(text)
  if (count < 1 || count > VCPUS_MAX) return vcpu.fail(VIR_ERR_XML_ERROR, `invalid maximum number of vCPUs '${count}'`)
  const current = vcpu.attribute('current') ?? text
  if (!/^\d{1,10}$/.test(current)) return vcpu.invalid('/@current', current)
  if (Number(current) > count) {
    vcpu.fail(VIR_ERR_CONFIG_UNSUPPORTED, 'maximum vCPU count must not be less than current vCPU count')
  }
  if (Number(current) < count) vcpu.refuse('/@current', current, 'a domain starts with all its virtual CPUs')
  const placement = vcpu.word('placement', ['static', 'auto']) ?? 'static'
  if (placement === 'auto') vcpu.refuse('/@placement', placement)
  return count
}

/** CPUs of the host, such as `0-3,^2,8`. Source: libvirt, src/util/virbitmap.c, virBitmapParse. */
function readSet(vcpu: Reading): readonly number[] | null {
  const text = vcpu.attribute('cpuset')
  if (text === undefined) return null
  const cpus = new Set<number>()
  for (const part of text.split(',').map(each => each.trim())) {
    const [, not, first, last = first] = /^(\^?)(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? []
    const [from, to] = [Number(first), Number(last)]
    if (!(from <= to && to < CPUS_MAX)) return vcpu.invalid('/@cpuset', text)
    for (let cpu = from; cpu <= to; cpu++) {
      if (not === '^') cpus.delete(cpu)
      else cpus.add(cpu)
    }
  }
  if (cpus.size === 0) return vcpu.fail(VIR_ERR_INTERNAL_ERROR, `no CPU is in the set '${text.slice(0, 100)}'`)
  return [...cpus].toSorted((a, b) => a - b)
}

function readCap(tune: Reading): number | null {
  const period = readNumber(tune, 'period', PERIOD_MIN, PERIOD_MAX) ?? PERIOD_USUAL
  const quota = tune.child('quota')
  if (quota === undefined || quota.text() === '-1') return null
  return (readAmount(quota, QUOTA_MIN, QUOTA_MAX) * 100) / period
}

function readNumber(inside: Reading, name: string, min: number, max: number): number | undefined {
  const said = inside.child(name)
  return said && readAmount(said, min, max)
}

function readAmount(said: Reading, min: number, max: number): number {
  const text = said.text()
  if (!/^\d{1,16}$/.test(text)) return said.invalid('', text)
  const number = Number(text)
  if (number < min || number > max) return said.refuse('', text, `it is between ${min} and ${max}`)
  return number
}

/** `<vcpu>` and, where something of it is said, `<cputune>`. */
export function writeCpus({ vcpus, scheduling }: Cpus): readonly XmlOutput[] {
  const affinity = scheduling?.affinity
  const cpuset = affinity === undefined || affinity === null || affinity.length === 0 ? undefined : ranges(affinity)
  const vcpu = element('vcpu', { placement: 'static', cpuset }, `${vcpus}`)
  if (scheduling === undefined) return [vcpu]
  const shares = element('shares', {}, `${scheduling.weight}`)
  return [vcpu, element('cputune', {}, shares, writeCap(scheduling.capPercent))]
}

/** A cap too fine for the usual period is told by the longest. */
function writeCap(capPercent: number | null): readonly XmlOutput[] {
  if (capPercent === null) return []
  const finest = Math.max(QUOTA_MIN, Math.round((capPercent * PERIOD_MAX) / 100))
  const factor = PERIOD_MAX / PERIOD_USUAL
  const isUsual = finest % factor === 0 && finest / factor >= QUOTA_MIN
  const [period, quota] = isUsual ? [PERIOD_USUAL, finest / factor] : [PERIOD_MAX, finest]
  return [element('period', {}, `${period}`), element('quota', {}, `${quota}`)]
}

function ranges(cpus: readonly number[]): string {
  const sorted = [...new Set(cpus)].toSorted((a, b) => a - b)
  const starts = sorted.filter(cpu => !sorted.includes(cpu - 1))
  const ends = sorted.filter(cpu => !sorted.includes(cpu + 1))
  return starts.map((start, index) => (start === ends[index] ? `${start}` : `${start}-${ends[index]}`)).join(',')
}
