#!/usr/bin/env node
// Compiles src/ and sim/ for the published package, and brings the data of the simulated host along: to dist/, or to
// the folder that is named.

import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import process from 'node:process'

const ROOT = join(import.meta.dirname, '..')
const TO = resolve(process.argv[2] ?? join(ROOT, 'dist'))
const SCHEMA = join('sim', 'hyperv', 'schema')

rmSync(TO, { recursive: true, force: true })
const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
const { status } = spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', TO], { cwd: ROOT, stdio: 'inherit' })
if (status === 0) cpSync(join(ROOT, SCHEMA), join(TO, SCHEMA), { recursive: true })
process.exit(status ?? 1)
