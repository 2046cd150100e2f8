import * as fs from 'node:fs'
import { join } from 'node:path'

import { CACHE, GUEST_KERNEL, KEPT_KERNEL } from './place.mjs'
import { copyWhole, findCommand, run, say } from './run.mjs'
import { aptUpdate, rootPrefix } from './system.mjs'

const KERNEL_PACKAGE = 'linux-image-cloud-amd64'

/** Whether the guests' kernel is where the tests look for it. */
export const hasKernel = () => fs.existsSync(GUEST_KERNEL)

/** Saves a kernel that is only in node_modules from npm. */
export function keepKernel() {
  if (hasKernel() && !fs.existsSync(KEPT_KERNEL)) copyWhole(GUEST_KERNEL, KEPT_KERNEL)
}

/** Puts the guests' kernel where the tests look for it; what is wrong if it cannot be had, else undefined. */
export function installKernel() {
  if (!fs.existsSync(KEPT_KERNEL)) {
    const problem = fetchKernel()
    if (problem !== undefined) {
      return `${problem}\nthe tests need the boot/vmlinuz-* of Debian's ${KERNEL_PACKAGE} as ${KEPT_KERNEL}`
    }
  }
  if (!hasKernel()) copyWhole(KEPT_KERNEL, GUEST_KERNEL)
  return undefined
}

function fetchKernel() {
  for (const tool of ['apt-get', 'apt-cache', 'dpkg-deb']) {
    if (findCommand(tool) === undefined) return `no ${tool} here to fetch a guest kernel with`
  }
  say('fetching a Linux kernel for the guests of the tests …')
  const folder = fs.mkdtempSync(join(CACHE, 'kernel-'))
  try {
    let problem = downloadKernel(folder)
    // The lists may be missing or older than the archive.
    if (problem !== undefined && rootPrefix() !== undefined) problem = aptUpdate() ?? downloadKernel(folder)
    return problem ?? unpackKernel(folder)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** The package itself holds nothing: it depends on that of the current version. */
function downloadKernel(folder) {
  const depends = run('apt-cache', ['depends', '--important', KERNEL_PACKAGE]).output
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (name === undefined) return `apt knows no ${KERNEL_PACKAGE}`
  const result = run('apt-get', ['-q', 'download', name], folder)
  return result.isOk ? undefined : `apt-get download ${name} failed:\n${result.output}`
}

function unpackKernel(folder) {
  const archive = fs.readdirSync(folder).find(name => name.endsWith('.deb'))
  if (archive === undefined) return 'apt-get download left no package'
  const result = run('dpkg-deb', ['-x', archive, 'unpacked'], folder)
  if (!result.isOk) return `${archive} cannot be unpacked:\n${result.output}`
  const boot = join(folder, 'unpacked', 'boot')
  const kernel = fs.existsSync(boot) ? fs.readdirSync(boot).find(name => name.startsWith('vmlinuz-')) : undefined
  if (kernel === undefined) return `there is no boot/vmlinuz-* in ${archive}`
  copyWhole(join(boot, kernel), KEPT_KERNEL)
  return undefined
}
