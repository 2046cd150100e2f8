import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { classes } from '../src/model/index.ts'
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
  const known = new Set(Object.values(classes).flatMap(of => provable(of)))

  const unknown = [...proofs()].filter(([name]) => !known.has(name)).map(([name, [first]]) => [name, first?.file])

  assert.deepEqual(unknown, [])
})
