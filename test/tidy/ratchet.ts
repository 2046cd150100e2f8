import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findUndocumentedExports } from './exports.ts'
import { findLongFunctions } from './functions.ts'
import { roomOf } from './rooms.ts'
import { findAnys, findCasts, findSuppressions } from './silencers.ts'
import { type Finding, readSources, type Source } from './source.ts'

/** Rooms, and one file, whose every export is documented. */
const DOCUMENTED =
  /^src\/(model|wire|store|protocols|engine|client|libvirt)\/|^src\/drivers\/(driver|domain-config|contract\/[a-z-]+)\.ts$/

/** What is counted. Each number may fall and never rise. */
export const MEASURES = {
  casts: findCasts,
  anys: findAnys,
  suppressions: findSuppressions,
  'long functions': findLongFunctions,
  'undocumented exports': source => (DOCUMENTED.test(source.path) ? findUndocumentedExports(source) : []),
} as const satisfies Readonly<Record<string, (source: Source) => readonly Finding[]>>

export type Measure = keyof typeof MEASURES

/** What was found, by measure and room. Rooms in which nothing was found are left out. */
export type Measured = ReadonlyMap<Measure, ReadonlyMap<string, readonly Finding[]>>

/** The numbers that are held, by measure and room; what is not named is held at 0. */
export type Held = Readonly<Record<string, Readonly<Record<string, number>>>>

export const REPOSITORY = dirname(dirname(import.meta.dirname))
export const RATCHET_FILE = join(import.meta.dirname, 'ratchet.json')
export const HOW_TO_LOWER = 'node test/tidy/ratchet.ts --write'

export function measure(sources: readonly Source[]): Measured {
  return new Map(measureNames().map(name => [name, byRoom(sources.flatMap(source => MEASURES[name](source)))]))
}

/** What rose, place by place, and what fell and can be lowered. */
export function compare(held: Held, measured: Measured): string[] {
  return measureNames().flatMap(name => {
    const rooms = measured.get(name) ?? new Map<string, readonly Finding[]>()
    const all = new Set([...Object.keys(held[name] ?? {}), ...rooms.keys()])
    return [...all].toSorted().flatMap(room => {
      const [before, found] = [held[name]?.[room] ?? 0, rooms.get(room) ?? []]
      if (found.length < before)
        return [`${room}: ${name} fell from ${before} to ${found.length}; hold it there: ${HOW_TO_LOWER}`]
      if (found.length === before) return []
      const places = found.map(({ path, line, message }) => `  ${path}:${line}: ${message}`)
      return [`${room}: ${name} rose from ${before} to ${found.length}; one of these is new:`, ...places]
    })
  })
}

/** The numbers to hold from now on: none higher than before, where there was a before. */
export function tighten(held: Held | null, measured: Measured): Held {
  return Object.fromEntries(
    measureNames().map(name => {
      const rooms = measured.get(name) ?? new Map<string, readonly Finding[]>()
      const numbers = [...rooms.keys()].toSorted().map((room): [string, number] => {
        const count = rooms.get(room)?.length ?? 0
        return [room, held === null ? count : Math.min(count, held[name]?.[room] ?? 0)]
      })
      return [name, Object.fromEntries(numbers.filter(([, number]) => number > 0))]
    }),
  )
}

export function readHeld(): Held | null {
  return existsSync(RATCHET_FILE) ? JSON.parse(readFileSync(RATCHET_FILE, 'utf8')) : null
}

function measureNames(): Measure[] {
  return ['casts', 'anys', 'suppressions', 'long functions', 'undocumented exports']
}

function byRoom(findings: readonly Finding[]): Map<string, Finding[]> {
  return Map.groupBy(findings, finding => roomOf(finding.path) ?? 'elsewhere')
}

// Run by hand: shows what is counted; with --write, lowers the numbers that are held (or makes the file).
if (import.meta.main) {
  const [held, measured] = [readHeld(), measure(readSources(REPOSITORY))]
  for (const rooms of measured.values()) {
    for (const { path, line, message } of [...rooms.values()].flat()) console.log(`${path}:${line}: ${message}`)
  }
  if (process.argv.includes('--write'))
    writeFileSync(RATCHET_FILE, `${JSON.stringify(tighten(held, measured), null, 2)}\n`)
}
