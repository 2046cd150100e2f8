import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findDefaultExports, findUndocumentedExports } from './exports.ts'
import { findBadNames, findLongFiles } from './files.ts'
import { findLongFunctions } from './functions.ts'
import { findCircles, importsOf } from './imports.ts'
import { findBreaches } from './rooms.ts'
import { findAnys, findCasts, findSuppressions } from './silencers.ts'
import { type Finding, type Source, sourceOf } from './source.ts'
import { findEmptyTests, findExcuses, findWishes } from './test-files.ts'
import { findForeignWords } from './words.ts'

/** The lines at which something is found in a sample. */
function lines(find: (source: Source) => readonly Finding[], text: string, path = 'src/wire/sample.ts'): number[] {
  return find(sourceOf(path, text)).map(finding => finding.line)
}

test('imports of every form are seen, and of packages none', () => {
  const text = `
import fs from 'node:fs'
import './a.ts'
import { x, type y as z } from './b.ts'
import type { T } from '../c.ts'
import * as d from './d.ts'
export { e } from './e.ts'
export * from './f.ts'
export type { G } from './g.ts'
const h = await import('./h.ts')
type I = typeof import('./i.ts')
export const from = './no.ts'
export { from }
import.meta.dirname
`
  const targets = importsOf(sourceOf('src/wire/x/sample.ts', text)).map(({ target }) => target)

  assert.deepEqual(targets, [
    'src/wire/x/a.ts',
    'src/wire/x/b.ts',
    'src/wire/c.ts',
    ...['d', 'e', 'f', 'g', 'h', 'i'].map(name => `src/wire/x/${name}.ts`),
  ])
})

const IMPORTS: ReadonlyArray<readonly [string, string, boolean]> = [
  ['src/wire/a.ts', './b.ts', true],
  ['src/wire/a.ts', '../model/index.ts', false],
  ['src/engine/a.ts', '../drivers/driver.ts', true],
  ['src/engine/a.ts', '../drivers/registry.ts', true],
  ['src/engine/a.ts', '../drivers/memory/index.ts', false],
  ['src/handlers/a.ts', '../drivers/registry.ts', false],
  ['src/libvirt/a.ts', '../protocols/libvirt-rpc/codec.ts', true],
  ['src/libvirt/a.ts', '../protocols/qmp/client.ts', false],
  ['src/drivers/memory/a.ts', '../../model/index.ts', false],
  ['src/cli/a.ts', '../main.ts', false],
  ['src/main.ts', './server/http.ts', true],
  ['test/a.test.ts', '../src/main.ts', false],
  ['test/a.test.ts', '../sim/hyperv/host.ts', true],
  ['sim/hyperv/a.ts', '../../src/wire/xml.ts', true],
  ['sim/hyperv/a.ts', '../../src/wire/xml/parse.ts', true],
  ['sim/hyperv/a.ts', '../../src/wire/xml-rpc.ts', false],
  ['sim/hyperv/a.ts', '../../src/drivers/driver.ts', false],
  ['web/a.tsx', '../src/client/index.ts', true],
  ['web/a.tsx', '../src/engine/index.ts', false],
  ['src/wire/a.ts', '../../test/memory/definition.ts', false],
]

for (const [path, specifier, isAllowed] of IMPORTS) {
  test(`${path} ${isAllowed ? 'may' : 'may not'} import ${specifier}`, () => {
    const found = findBreaches([sourceOf(path, `import type { x } from '${specifier}'`)])

    assert.equal(found.length, isAllowed ? 0 : 1)
  })
}

test('a file outside all rooms is told', () => {
  assert.equal(findBreaches([sourceOf('src/stray.ts', '')]).length, 1)
})

test('a circle is found, through types and dynamic imports too, and told once', () => {
  const sources = [
    sourceOf('src/wire/a.ts', "import type { b } from './b.ts'"),
    sourceOf('src/wire/b.ts', "export { c } from './c.ts'"),
    sourceOf('src/wire/c.ts', "const a = () => import('./a.ts')"),
    sourceOf('src/wire/d.ts', "import './a.ts'"),
  ]
  const [circle, ...others] = findCircles(sources)

  assert.equal(others.length, 0)
  assert.match(circle?.message ?? '', /src\/wire\/a\.ts -> src\/wire\/b\.ts -> src\/wire\/c\.ts -> src\/wire\/a\.ts/)
  assert.deepEqual(findCircles(sources.slice(1)), [])
})

test('casts are seen, and what only looks like one is not', () => {
  const text = `
const a = b as string
const c = f(x) as unknown as Y<Z>
const d = [] as const
import { e as f } from 'g'
export { h as i }
import * as j from 'k'
type L<T> = { [K in keyof T as Name<K>]: T[K] }
const m = { as: 1, n: o.as }
// p as q
const r = x! as (s: string) => void
for (const t of u as V[]) w(t)
`
  assert.deepEqual(lines(findCasts, text), [2, 3, 3, 11, 12])
  assert.deepEqual(lines(findCasts, text, 'src/model/kernel/define.ts'), [])
  assert.deepEqual(lines(findCasts, text, 'src/engine/marshal.ts'), [])
})

test('the type any is seen, and names like it are not', () => {
  const text = `
function a(x: any): any[] {}
const b = AbortSignal.any([c])
const d = { any: 1 }
type E = Record<string, any> | any
const f = 'any' // any
`
  assert.deepEqual(lines(findAnys, text), [2, 2, 5, 5])
})

test('comments that silence a check are seen, and an expected error is a test where tests are', () => {
  const silence = ['// @ts-', 'ignore\n/* oxlint-', 'disable */\n// a\n// @ts-', 'expect-error'].join('')

  assert.deepEqual(lines(findSuppressions, silence), [1, 2, 4])
  assert.deepEqual(lines(findSuppressions, silence, 'types/negative.ts'), [1, 2])
})

test('exports without a docstring are seen; re-exports and further overloads are exempt', () => {
  const text = `/** Of the file. */
import 'x'
export const a = 1
/** Documented. */
export const b = 1
export { c } from 'd'
export type { E } from 'f'
/** First overload. */
export function g(x: string): void
export function g(x: number): void
export async function h(): Promise<void> {}
/** Documented. */
// But this stands between.
export interface I {}
export const { j } = k
export type L = 1
`
  assert.deepEqual(lines(findUndocumentedExports, text), [3, 11, 14, 15, 16])
})

test('default exports are seen, but in configuration files', () => {
  const text = 'export default 1\nexport { a as default }\nswitch (x) { default: y() }'

  assert.deepEqual(lines(findDefaultExports, text), [1, 2])
  assert.deepEqual(lines(findDefaultExports, text, 'web/vite.config.ts'), [])
})

const BODIES: ReadonlyArray<readonly [string, boolean]> = [
  ['function a() {', true],
  ['async function* b(x: { y: string }): AsyncGenerator<Map<string, number[]>> {', true],
  ['const c = (x: string) => {', true],
  ['const d = async x => {', true],
  ['const e = (x: string): Promise<readonly [a: string, b: { c: 1 }]> => {', true],
  ['class F { #g(x = f({ y: 1 })): x is string {', true],
  ['const h = { i() {', true],
  ['const j = { get k(): string | undefined {', true],
  ['if (a) {', false],
  ['for (const a of b) {', false],
  ['try { a() } catch (b) {', false],
  ['switch (a) {', false],
  ['const l = {', false],
  ['const m = f({', false],
  ['class N extends O {', false],
  ['interface P { q(): void; r: {', false],
  ['const s = a ? f(b) : {', false],
  ['function t(): { x: 1 } {', true],
  ['export function u<T extends Class = Class>(x: T): asserts x is T {', true],
  ['const y = (): Name => {', true],
  ['const z = (): a.Name | null => {', true],
  ['class V { constructor() {', true],
  ['class W { async *[Symbol.iterator]() {', true],
  ['class T { u = f(a) as V; w: {', false],
  ["describe('x', () => {", false],
  ["describe(name, () => { it('y', async () => {", true],
]

for (const [opening, isFunction] of BODIES) {
  test(`"${opening}" ${isFunction ? 'opens a function' : 'opens no function'}`, () => {
    const closing = unclosed(opening)
    const long = `${opening}${'\n'.repeat(70)}${closing}`
    const short = `${opening}${'\n'.repeat(69)}${closing}`

    assert.equal(lines(findLongFunctions, long).length, isFunction ? 1 : 0)
    assert.deepEqual(lines(findLongFunctions, short), [])
  })
}

test('a file over the wall is told, a table of declarations is not', () => {
  assert.equal(lines(findLongFiles, 'a\n'.repeat(501)).length, 1)
  assert.equal(lines(findLongFiles, 'a\n'.repeat(500)).length, 0)
  assert.equal(lines(findLongFiles, 'a\n'.repeat(501), 'src/model/classes/vm.ts').length, 0)
})

test('names in kebab-case and for a noun are kept, others told', () => {
  const told = (path: string) => findBadNames(sourceOf(path, '')).length

  for (const path of [
    'src/wire/xml-rpc.ts',
    'test/a.test.ts',
    'web/vite.config.ts',
    'types/x.d.ts',
    'web/vm-list.tsx',
  ]) {
    assert.equal(told(path), 0, path)
  }
  for (const path of [
    'src/wire/XmlRpc.ts',
    'src/wire/xml_rpc.ts',
    'src/utils.ts',
    'src/helpers/a.ts',
    'src/vm-manager.ts',
    'src/fooBar/a.ts',
  ]) {
    assert.equal(told(path), 1, path)
  }
})

test('a test file without a test is told; a call of a shared suite is one', () => {
  assert.equal(lines(findEmptyTests, "const test = 'it('", 'test/a.test.ts').length, 1)
  assert.equal(lines(findEmptyTests, "test('a', f)", 'test/a.test.ts').length, 0)
  assert.equal(lines(findEmptyTests, "describeDriver('a', f)", 'test/a.test.ts').length, 0)
  assert.equal(lines(findEmptyTests, '', 'test/conformance/stage.ts').length, 0)
})

test('test names that say what ought to be are told', () => {
  const wish = ["test('it sho", "uld work', f)\nstage.it(`sho", "uld`, f)\nsay('sho", "uld')"].join('')

  assert.deepEqual(lines(findWishes, wish), [1, 2])
})

test('tests that are left out are told', () => {
  const text = "test.skip('a')\nit('b', { skip: true }, f)\nt.todo()\nbuffer.skip(3)\ndescribe.only('c')"

  assert.deepEqual(lines(findExcuses, text, 'test/a.test.ts'), [1, 2, 3, 5])
})

test('promises, paths of one machine and registry hosts are told by line', () => {
  const text = [
    '// TO',
    'DO later\nsee /wo',
    'rk/x\nhttps://registry',
    '.npmjs.org\nhomework/x /workspace /usr/root',
  ].join('')

  assert.deepEqual(
    findForeignWords('README.md', text).map(finding => finding.line),
    [1, 2, 3],
  )
})

/** The brackets that close what a sample leaves open. */
function unclosed(text: string): string {
  let closing = ''
  for (const char of text) {
    if (char === '{') closing = `}${closing}`
    if (char === '(') closing = `)${closing}`
    if (char === '}' || char === ')') closing = closing.slice(1)
  }
  return closing
}
