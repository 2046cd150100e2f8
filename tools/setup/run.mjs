import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import process from 'node:process'

import { OWN_BIN, ROOT } from './place.mjs'

/** The longest that one command may take. */
const COMMAND_MS = 20 * 60_000
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024
/** Of a failure: the reason is at the beginning with some programs and at the end with others. */
const LINES_SHOWN = { first: 15, last: 25 }

/** Runs a program to its end. What it says is kept for the case that it fails. */
export function run(command, args, folder = ROOT) {
  const env = { ...process.env, PATH: foreignPath().join(delimiter) }
  const options = { cwd: folder, env, encoding: 'utf8', timeout: COMMAND_MS, maxBuffer: OUTPUT_BYTES_MAX }
  const { status, stdout, stderr, error } = spawnSync(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = `${stdout ?? ''}${stderr ?? ''}${error === undefined ? '' : `${error.message}\n`}`
  return { isOk: status === 0, output: shortened(output.trimEnd()) }
}

function shortened(output) {
  const lines = output.split('\n')
  const { first, last } = LINES_SHOWN
  return lines.length <= first + last ? output : [...lines.slice(0, first), '…', ...lines.slice(-last)].join('\n')
}

/** PATH without this checkout's own programs, which npm puts first and which npm ci takes away under our feet. */
function foreignPath() {
  return (process.env.PATH ?? '').split(delimiter).filter(folder => folder !== '' && folder !== OWN_BIN)
}

/** The program's file in PATH, if there is one. */
export function findCommand(name) {
  return foreignPath()
    .map(folder => join(folder, name))
    .find(file => {
      try {
        fs.accessSync(file, fs.constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** Copies a folder so that it is there in whole or not at all; one that was there before goes. */
export function copyFolderWhole(from, to) {
  fs.mkdirSync(dirname(to), { recursive: true })
  const [draft, old] = [`${to}.${process.pid}`, `${to}.old.${process.pid}`]
  fs.cpSync(from, draft, { recursive: true })
  if (fs.existsSync(to)) fs.renameSync(to, old)
  fs.renameSync(draft, to)
  fs.rmSync(old, { recursive: true, force: true })
}

/** Waits, and lets nothing else happen. */
export const sleep = ms => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** Tells the user; standard output is left to what comes after. */
export function say(line) {
  process.stderr.write(`setup: ${line}\n`)
}
