import { Buffer } from 'node:buffer'
import { XmlError } from '../../../src/wire/xml/error.ts'
import { escapeText } from '../../../src/wire/xml/write.ts'
import { toXmlTime } from '../cim/datetime.ts'
import type { CimScalar, CimType } from '../cim/model.ts'
import { isInstance } from '../cim/value.ts'
import { WsmanFault } from './fault.ts'
import * as names from './names.ts'

/** Where a value stands: an instance or a method's output declares `cim`, a fragment does not. */
export type Place = 'instance' | 'fragment'

const TIMES_MAX = 4_096
/** Many instances hold the same few times, and printing one takes longer than all the rest of it. */
const times = new Map<string, string>()

/**
 * One value that is neither a reference nor an embedded instance, as the content of its element.
 * Source: DSP0230 (WS-CIM), §6; instances of real hosts, recorded.
 */
export function writeScalar(value: CimScalar, type: CimType, place: Place): string {
  if (typeof value === 'string') return type === 'datetime' ? writeTime(value, place) : writeText(value)
  if (isInstance(value)) throw new WsmanFault('internal-error')
  return typeof value === 'number' ? writeNumber(value) : String(value)
}

/** Bytes stand together as base64. Source: the C driver of libvirt, which reads thumbnails so from real hosts. */
export function writeBytes(values: readonly CimScalar[]): string {
  return Buffer.from(values.map(Number)).toString('base64')
}

function writeText(text: string): string {
  try {
    return escapeText(text)
  } catch (error) {
    // A character that no XML can carry: the fault says so rather than another text.
    if (error instanceof XmlError) throw new WsmanFault('internal-error')
    throw error
  }
}

/** Source: XML Schema Part 2, §3.2.4; integers never come out in scientific notation. */
function writeNumber(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'INF' : '-INF'
}

function writeTime(text: string, place: Place): string {
  const cached = times.get(text) ?? printTime(text)
  if (times.size >= TIMES_MAX) times.clear()
  times.set(text, cached)
  return place === 'instance' ? cached : cached.replace('>', ` xmlns:cim="${names.CIM}">`)
}

function printTime(text: string): string {
  const time = toXmlTime(text)
  if (time !== undefined) return `<cim:${time.kind}>${time.text}</cim:${time.kind}>`
  // A time of which parts are unknown keeps CIM's own form. Source: DSP0230, §6.2.
  return `<cim:CIM_DateTime>${writeText(text)}</cim:CIM_DateTime>`
}
