#!/usr/bin/env node
// Runs the checks and the tests: `node tools/test.mjs` all of them, `node tools/test.mjs NAME…` the suites named.
// Plain JavaScript, so that any Node can start it; the tests themselves run on the Node of this repository.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const BIN = join(ROOT, 'node_modules', '.bin')

/** Suites by name, as what their files begin with below test/. Whatever no other suite names belongs to `fast`. */
const SUITES = {
  qemu: ['qemu/', 'qmp/', 'qga/', 'switch/', 'machine/', 'conformance/qemu', 'durability/', 'architecture'],
  api: ['api/', 'client/', 'cli/', 'draft/'],
  wsman: ['wsman/', 'wsman-peers/'],
  libvirt: ['libvirt/', 'libvirt-rpc/', 'libvirt-tools/'],
  hyperv: ['sim/', 'hyperv/', 'conformance/hyperv'],
  wire: ['wire/'],
  store: ['store/'],
  server: ['server/', 'setup'],
}

/** One more than there are processors: there is always a file that waits for something. */
const LANES = Math.min(availableParallelism() + 1, 8)

/** For a test. `test/support/deadline.ts` bounds a whole file, which may go on when its tests have ended. */
const TEST_TIMEOUT_MS = 5 * 60_000

const node = newEnough(process.version) ? process.execPath : join(BIN, 'node')
if (!existsSync(node))
  fail('no Node of version 24.7 or newer is installed here; run `node tools/setup.mjs --tests` first')

const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => name !== 'fast' && !(name in SUITES))
if (unknown.length > 0) fail(`no suite ${unknown.join(', ')}; there are fast, ${Object.keys(SUITES).join(', ')}`)

if (wanted.length === 0) {
  run('types', join(BIN, 'tsc'), ['-p', 'tsconfig.json'])
  run('lint', join(BIN, 'oxlint'), ['--type-aware', '--quiet'])
  run('format', join(BIN, 'biome'), ['format', '--log-level=error'])
}

const tests = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.test.ts'))
  .map(name => `test/${name}`)
  .sort()
const files = wanted.length === 0 ? tests : wanted.flatMap(filesOf)
if (files.length === 0) fail('no test files found')
const flags = [
  '--test',
  `--test-concurrency=${LANES}`,
  `--test-timeout=${TEST_TIMEOUT_MS}`,
  '--enable-source-maps',
  '--import=./test/support/deadline.ts',
]
const result = spawnSync(node, [...flags, ...files], { cwd: ROOT, stdio: 'inherit', env: environment() })
process.exit(result.status ?? 1)

function filesOf(name) {
  const suite = SUITES[name]
  if (suite !== undefined) return tests.filter(file => isIn(suite, file))
  return tests.filter(file => !Object.values(SUITES).some(other => isIn(other, file)))
}

function isIn(prefixes, file) {
  return prefixes.some(prefix => file.startsWith(`test/${prefix}`))
}

function run(what, command, args) {
  const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', env: environment() })
  if (status !== 0) fail(`the check of ${what} failed`)
}

/** The repository's own programs first, `node` among them. */
function environment() {
  return { ...process.env, PATH: `${BIN}:${process.env.PATH ?? ''}` }
}

function newEnough(version) {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 7)
}

function fail(reason) {
  console.error(`test: ${reason}`)
  process.exit(1)
}
