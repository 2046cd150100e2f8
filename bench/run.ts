/** Runs the benchmarks, all of them or those named, one after the other, and prints what they say as a table. */

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Parts of the benchmarks that are no benchmark by themselves. */
const PARTS = ['run.ts', 'measure.ts', 'echo-server.ts', 'by-hand.ts', 'processes.ts']

const wanted = process.argv.slice(2)
const files = readdirSync(import.meta.dirname)
  .filter(name => name.endsWith('.ts') && !PARTS.includes(name))
  .filter(name => wanted.length === 0 || wanted.includes(name.replace('.ts', '')))
for (const file of files) {
  const { stdout, status } = spawnSync(process.execPath, [join(import.meta.dirname, file)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for (const line of stdout.split('\n').filter(text => text.startsWith('{'))) process.stdout.write(`${rowText(line)}\n`)
  if (status !== 0) process.exitCode = 1
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

/** One row: its name first, then every figure by its name. */
function rowText(line: string): string {
  const { bench, ...figures }: Record<string, string | number> = JSON.parse(line)
  const shown = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? round(value) : value}`,
  )
  return `${String(bench).padEnd(28)}${shown.join('   ')}`
}
