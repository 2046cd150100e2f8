#!/usr/bin/env node
// Sets up what is missing in a checkout. Plain JavaScript without dependencies, for any Node from 20 on.

import process from 'node:process'

import { hasGuest, installGuest, keepGuest } from './setup/guest.mjs'
import { withLock } from './setup/lock.mjs'
import { checkNode, hasPackages, installPackages, usableNode } from './setup/packages.mjs'
import { say } from './setup/run.mjs'
import { isStamped, leaveStamp } from './setup/stamp.mjs'
import { installTools, missingTools } from './setup/system.mjs'

const HELP = `Usage: node tools/setup.mjs [--tests]

Sets up what is missing in this checkout, and does nothing where nothing is:
  - the npm packages of package-lock.json, among them the Node that runs everything;
  - through apt, where it may (as root, or with sudo that asks no password), QEMU to serve guests with.
With --tests also what the tests need: busybox, python3, curl, xmllint, tools for disk images, a Linux kernel
for guests, and foreign clients of WinRM with their NTLM and Kerberos.

Exit codes: 0 everything needed is there (QEMU is not needed for serving), 1 something is missing, 2 wrong usage.
`

function main(args) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  const unknown = args.find(argument => argument !== '--tests')
  if (unknown !== undefined) {
    process.stderr.write(`setup: unknown argument ${unknown}\n${HELP}`)
    return 2
  }
  const forTests = args.length > 0
  try {
    if (isStamped(forTests) && missingTools(forTests).length === 0 && (!forTests || hasGuest())) return 0
    if (isComplete(forTests)) return 0
    return withLock(() => (isComplete(forTests) ? 0 : setUp(forTests)))
  } catch (error) {
    if (error.code === undefined) throw error
    say(error.message) // The file system said no, and the message names the file.
    return 1
  }
}

/** Looks at everything; leaves a stamp that spares most of it next time. */
function isComplete(forTests) {
  const isAllThere = hasPackages() && usableNode() !== undefined && missingTools(forTests).length === 0
  if (!isAllThere || (forTests && !hasGuest())) return false
  leaveStamp(forTests)
  return true
}

/** Does what is to be done, in this order: making node_modules anew takes along what lies in it. */
function setUp(forTests) {
  keepGuest()
  const unrunnable = installPackages() ?? checkNode()
  const problems = [unrunnable, installTools(missingTools(forTests)), forTests ? installGuest() : undefined]
  for (const problem of problems) if (problem !== undefined) say(problem)
  if (problems.every(problem => problem === undefined)) {
    leaveStamp(forTests)
    return 0
  }
  if (forTests || unrunnable !== undefined) return 1
  say('going on without QEMU: guests can only be pretended (memory:///)')
  return 0
}

process.exitCode = main(process.argv.slice(2))
