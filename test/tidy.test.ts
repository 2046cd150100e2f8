import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findDefaultExports } from './tidy/exports.ts'
import { findBadNames, findLongFiles } from './tidy/files.ts'
import { findCircles } from './tidy/imports.ts'
import { compare, measure, readHeld, REPOSITORY } from './tidy/ratchet.ts'
import { findBreaches } from './tidy/rooms.ts'
import { type Finding, listFiles, readSources } from './tidy/source.ts'
import { findEmptyTests, findExcuses, findWishes } from './tidy/test-files.ts'
import { findForeignWords } from './tidy/words.ts'

// The walls of the house. What is found is told with the file, the line, and what to do about it.
const sources = readSources(REPOSITORY)

test('imports keep to the rooms', () => {
  demandNone(findBreaches(sources))
})

test('imports go in no circle, imports of types included', () => {
  demandNone(findCircles(sources))
})

test('no file is longer than the wall, but tables of declarations', () => {
  demandNone(sources.flatMap(findLongFiles))
})

test('files and folders are named for their noun, in kebab-case', () => {
  demandNone(sources.flatMap(findBadNames))
})

test('what is exported is exported by its name', () => {
  demandNone(sources.flatMap(findDefaultExports))
})

test('every test file holds tests, and leaves none out', () => {
  demandNone(sources.flatMap(source => [...findEmptyTests(source), ...findExcuses(source)]))
})

test('the name of a test says what is, not what ought to be', () => {
  demandNone(sources.flatMap(findWishes))
})

test('the repository speaks of the product only, and leaves nothing for later', () => {
  const TEXT = /\.(ts|tsx|mjs|js|json|md|html|css|yml|yaml|sh|txt|toml)$/
  const LOCK = 'package-lock.json' // Says where each package came from, as npm writes it.
  const paths = listFiles(REPOSITORY, '.').filter(path => TEXT.test(path) && path !== LOCK)

  demandNone(paths.flatMap(path => findForeignWords(path, readFileSync(join(REPOSITORY, path), 'utf8'))))
})

test('casts, silenced checks, long functions and undocumented exports only become fewer', () => {
  const complaints = compare(readHeld() ?? {}, measure(sources))

  assert.equal(complaints.length, 0, `\n${complaints.join('\n')}`)
})

function demandNone(findings: readonly Finding[]): void {
  const lines = findings.map(({ path, line, message }) => `${path}:${line}: ${message}`)
  assert.equal(lines.length, 0, `\n${lines.join('\n')}`)
}
