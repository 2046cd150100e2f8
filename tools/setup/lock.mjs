import * as fs from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { CACHE } from './place.mjs'
import { say, sleep } from './run.mjs'

const LOCK = join(CACHE, 'setup.lock')
/** The longest that another setup is waited for. */
const LOCK_WAIT_MS = 40 * 60_000
const LOCK_POLL_MS = 200
/** A lock without an owner is one that is being made, unless it is older than this. */
const LOCK_MAKING_MS = 10_000

/** Does `work` while no other setup of this checkout does; what it returns, or 1 when there was no end of waiting. */
export function withLock(work) {
  fs.mkdirSync(CACHE, { recursive: true })
  const until = Date.now() + LOCK_WAIT_MS
  let isTold = false
  while (!takeLock()) {
    if (Date.now() > until) {
      say(`another setup holds ${LOCK} and does not end; remove it if there is none`)
      return 1
    }
    if (!isTold) say('another setup is running here; waiting for it …')
    isTold = true
    sleep(LOCK_POLL_MS)
  }
  try {
    return work()
  } finally {
    fs.rmSync(LOCK, { recursive: true, force: true })
  }
}

function takeLock() {
  try {
    fs.mkdirSync(LOCK)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!isLockDead(LOCK)) return false
    removeDeadLock()
    return false
  }
  fs.writeFileSync(join(LOCK, 'owner'), identityOf(process.pid))
  return true
}

function isLockDead(lock) {
  try {
    const owner = fs.readFileSync(join(lock, 'owner'), 'utf8')
    return owner !== '' && identityOf(Number(owner.split(' ')[0])) !== owner
  } catch {
    const made = fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs
    return made !== undefined && Date.now() - made > LOCK_MAKING_MS
  }
}

/** Two may find a lock dead at once. The slower one must not remove the lock that the quicker one has taken since. */
function removeDeadLock() {
  const aside = `${LOCK}.${process.pid}`
  try {
    fs.renameSync(LOCK, aside)
    if (isLockDead(aside)) fs.rmSync(aside, { recursive: true, force: true })
    else fs.renameSync(aside, LOCK)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

/** A process by number and, where the system tells, by its start: numbers come again. Source: proc(5), field 22 of stat. */
function identityOf(pid) {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return isRunning(pid) ? `${pid} ` : ''
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
