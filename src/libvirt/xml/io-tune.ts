import { isDeepStrictEqual } from 'node:util'
import { DISK_RATES, type DiskConfig, type DiskLimits, type RateLimit } from '../../drivers/driver.ts'
import type { XmlOutput } from '../../wire/xml/write.ts'
import { VIR_ERR_XML_ERROR } from '../error-numbers.ts'
import type { Reading } from './reading.ts'
import { element } from './writing.ts'

type Rate = (typeof DISK_RATES)[number]

/** What libvirt calls that of which there may be so much in a second. */
const NAMES: Readonly<Record<Rate, string>> = {
  bytes: 'total_bytes_sec',
  readBytes: 'read_bytes_sec',
  writeBytes: 'write_bytes_sec',
  requests: 'total_iops_sec',
  readRequests: 'read_iops_sec',
  writeRequests: 'write_iops_sec',
}
/** Which of them together are those of both directions. */
const DIRECTIONS = [
  ['bytes_sec', 'bytes', ['readBytes', 'writeBytes']],
  ['iops_sec', 'requests', ['readRequests', 'writeRequests']],
] as const

const SIZE = 'size_iops_sec'
const GROUP = 'group_name'
const [LIMIT, BURST, BURST_LENGTH] = ['', '_max', '_max_length'] as const
const PARTS = [
  { part: 'perSecond', ending: LIMIT },
  { part: 'burst', ending: BURST },
  { part: 'burstSeconds', ending: BURST_LENGTH },
] as const

const fieldsOf = (ending: string): string[] => DISK_RATES.map(rate => `${NAMES[rate]}${ending}`)

/** All that can be said of a disk, by libvirt's names and in its order; all but the name of the group are numbers. */
export const IO_TUNE_FIELDS: readonly string[] = [
  ...fieldsOf(LIMIT),
  ...fieldsOf(BURST),
  SIZE,
  GROUP,
  ...fieldsOf(BURST_LENGTH),
]

/** What is said of a disk, by these names: numbers, of which 0 is no limit, and the name of its group. */
export interface IoTune {
  readonly numbers: ReadonlyMap<string, number>
  readonly group?: string
}

/** Whether a field is a text: the name of the group. */
export const isTextField = (field: string): boolean => field === GROUP

/** What limits say by libvirt's names; what they do not say is not there. */
export function tuneOf(limits: DiskLimits = {}): IoTune {
  const numbers = DISK_RATES.flatMap(rate => {
    const limit = limits[rate]
    return PARTS.flatMap(({ part, ending }): [string, number][] => {
      const value = limit?.[part]
      return value === undefined ? [] : [[`${NAMES[rate]}${ending}`, value]]
    })
  })
  const { requestBytes, group } = limits
  const size: [string, number][] = requestBytes === undefined ? [] : [[SIZE, requestBytes]]
  return { numbers: new Map([...numbers, ...size]), ...(group !== undefined && { group }) }
}

/** The limits that are said; undefined where there are none. What is said of bursts without a limit is left out. */
export function limitsOf({ numbers, group }: IoTune): DiskLimits | undefined {
  const rates = DISK_RATES.flatMap((rate): [Rate, RateLimit][] => {
    const [perSecond = 0, burst = 0, burstSeconds = 0] = PARTS.map(({ ending }) =>
      numbers.get(`${NAMES[rate]}${ending}`),
    )
    if (perSecond === 0) return []
    const length = burst > 0 && burstSeconds > 0 ? { burstSeconds } : {}
    return [[rate, { perSecond, ...(burst > 0 && { burst }), ...length }]]
  })
  if (rates.length === 0) return undefined
  const requestBytes = numbers.get(SIZE) ?? 0
  const more = { ...(requestBytes > 0 && { requestBytes }), ...(group !== undefined && group !== '' && { group }) }
  return { ...Object.fromEntries(rates), ...more }
}

/** What excludes each other of what is said, by libvirt's name for it; undefined where nothing does. */
export function conflictIn({ numbers }: IoTune): string | undefined {
  const isSaid = (rate: Rate, ending: string) => (numbers.get(`${NAMES[rate]}${ending}`) ?? 0) > 0
  for (const ending of [LIMIT, BURST]) {
    for (const [name, all, each] of DIRECTIONS) {
      if (isSaid(all, ending) && each.some(rate => isSaid(rate, ending))) return `${name}${ending}`
    }
  }
  return undefined
}

/** A burst that is said of what has no limit, or that is less than the limit; undefined where there is none. */
export function faultIn({ numbers }: IoTune): { readonly field: string; readonly isMissing: boolean } | undefined {
  for (const field of fieldsOf(LIMIT)) {
    const [limit = 0, burst = 0] = [numbers.get(field), numbers.get(`${field}${BURST}`)]
    const isMissing = burst > 0 && limit === 0
    if (isMissing || (burst > 0 && burst < limit)) return { field, isMissing }
  }
  return undefined
}

/** `<iotune>` of a disk; undefined where it says nothing. Source: libvirt, formatdomain, "iotune". */
export function readIoTune(disk: Reading): DiskLimits | undefined {
  const tune = disk.child('iotune')
  if (tune === undefined) return undefined
  const numbers = new Map(
    IO_TUNE_FIELDS.filter(field => !isTextField(field)).map(field => [field, numberIn(tune, field)]),
  )
  const group = tune.child(GROUP)?.rawText()
  const said = { numbers, ...(group !== undefined && { group }) }
  const conflict = conflictIn(said)
  if (conflict !== undefined) {
    return tune.fail(VIR_ERR_XML_ERROR, `total and read/write ${conflict} cannot be set at the same time`)
  }
  const fault = faultIn(said)
  if (fault !== undefined) tune.refuse(`/${fault.field}_max`, undefined, `cannot be less than ${fault.field}`)
  return limitsOf(said)
}

/** More digits than any limit has. */
const NUMBER = /^\d{1,15}$/

function numberIn(tune: Reading, field: string): number {
  const child = tune.child(field)
  if (child === undefined) return 0
  const text = child.text()
  if (NUMBER.test(text)) return Number(text)
  return tune.fail(VIR_ERR_XML_ERROR, `disk iotune field '${field}' must be an integer`)
}

/** The same of a disk that has limits. */
export function writeIoTune(limits: DiskLimits | undefined): XmlOutput | undefined {
  if (limits === undefined) return undefined
  const { numbers, group } = tuneOf(limits)
  const said = IO_TUNE_FIELDS.flatMap(field => {
    const value = isTextField(field) ? group : numbers.get(field)
    return value === undefined ? [] : [element(field, {}, `${value}`)]
  })
  return element('iotune', {}, said)
}

/** Refuses disks of one group that are not all to have the same limits. */
export function assertGroups(inside: Reading, disks: readonly Pick<DiskConfig, 'limits'>[]): void {
  const groups = new Map<string, DiskLimits>()
  for (const { limits } of disks) {
    if (limits?.group === undefined) continue
    const first = groups.get(limits.group) ?? limits
    groups.set(limits.group, first)
    if (isDeepStrictEqual(first, limits)) continue
    inside.refuse('', undefined, `disks of the group '${limits.group.slice(0, 100)}' have the same limits`)
  }
}
