import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { FUNCTIONS } from '../src/libvirt/functions.ts'
import { classes } from '../src/model/index.ts'
import { functionsMarked, INTERNAL, VALIDATION } from '../tools/docs/libvirt-functions.ts'
import { proofs, provable } from '../tools/docs/proofs.ts'
import { GENERATED, generatedPages } from '../tools/generate.ts'

test('the generated pages are what the declaration says today', async () => {
  const pages = await generatedPages()

  const onDisk = (await readdir(GENERATED)).sort()

  assert.deepEqual(onDisk, [...pages.keys()].sort(), 'run `npm run generate`')
  for (const [name, text] of pages) {
    assert.equal(await readFile(join(GENERATED, name), 'utf8'), text, `${name} is stale: run \`npm run generate\``)
  }
})

test('every field and every message has a test that proves what it does', () => {
  const found = proofs()
  const wanted = Object.values(classes).flatMap(of => provable(of))

  const unproven = wanted.filter(name => !found.has(name))

  assert.deepEqual(unproven, [])
})

test('what tests say they prove is there', () => {
  const functions = [...Object.keys(FUNCTIONS), ...Object.keys(INTERNAL)]
  const known = new Set([...Object.values(classes).flatMap(of => provable(of)), ...functions])

  const unknown = [...proofs()].filter(([name]) => !known.has(name)).map(([name, [first]]) => [name, first?.file])

  assert.deepEqual(unknown, [])
})

test("every function of libvirt that there is, and every one of the document's, has a test that shows it", () => {
  const found = proofs()

  assert.deepEqual(
    [...Object.keys(FUNCTIONS), ...Object.keys(INTERNAL)].filter(name => !found.has(name)),
    [],
  )
  // Source: "libvirt driver for Hyper-V", chapters 2 and 5.
  const marks = ['Bull', '0.9.5', '0.9.8', '0.10.2', 'stub'] as const
  assert.deepEqual(
    marks.map(mark => functionsMarked(mark).length),
    [30, 30, 1, 1, 5],
  )
  assert.equal(Object.keys(INTERNAL).length, 7)
})

test('every row of the validation of the document has a test that shows that it is correct here', () => {
  const found = proofs('Validates')
  const rows = Object.values(VALIDATION).flatMap(table => table.map(([name]) => name))

  assert.deepEqual([...found.keys()].toSorted(), rows.toSorted())
})
