#!/usr/bin/env node
// Compiles src/ and sim/ to dist/ for the published package, and brings the data of the simulated host along.

import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
const { status } = spawnSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: ROOT,
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
cpSync(join(ROOT, 'sim', 'hyperv', 'schema'), join(ROOT, 'dist', 'sim', 'hyperv', 'schema'), { recursive: true })
