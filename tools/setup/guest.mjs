import * as fs from 'node:fs'
import { join } from 'node:path'

import { AGENT_PACKAGE, pickAgent } from './guest-agent.mjs'
import { CACHE, GUEST, KEPT_GUEST } from './place.mjs'
import { copyFolderWhole, findCommand, run, say } from './run.mjs'
import { aptUpdate, rootPrefix } from './system.mjs'

const KERNEL_PACKAGE = 'linux-image-cloud-amd64'

/** What guests load; with what these depend on. Those that a kernel has built in, or has not at all, are left out. */
const MODULES =
  'virtio_pci virtio_blk virtio_net virtio_balloon virtio_console virtio_rng virtio_mem button evdev pvpanic_mmio ' +
  'pvpanic_pci e1000 8139cp ata_piix sd_mod sr_mod floppy tpm_tis tpm_crb crc32c_generic ext4 isofs vfat nls_cp437 ' +
  'nls_ascii nls_utf8'

/** Whether the guests' kernel and its modules are where the tests look for them. */
export const hasGuest = () => isWhole(GUEST)

const PARTS = ['vmlinuz', join('modules', 'order'), join('agent', 'qemu-ga')]

const isWhole = folder => PARTS.every(part => fs.existsSync(join(folder, part)))

/** Saves a guest that is only in node_modules from npm. */
export function keepGuest() {
  if (hasGuest() && !isWhole(KEPT_GUEST)) copyFolderWhole(GUEST, KEPT_GUEST)
}

/** Puts the guests' kernel and modules where the tests look for them; what is wrong if they cannot be had, else undefined. */
export function installGuest() {
  if (!isWhole(KEPT_GUEST)) {
    const problem = fetchGuest()
    if (problem !== undefined) {
      return `${problem}\nthe tests need of Debian's ${KERNEL_PACKAGE} the boot/vmlinuz-* as ${KEPT_GUEST}/vmlinuz, and its
modules in ${KEPT_GUEST}/modules, in whose file "order" their names are in the order of loading;
and of ${AGENT_PACKAGE} the usr/sbin/qemu-ga with the libraries it needs, all in ${KEPT_GUEST}/agent`
    }
  }
  if (!hasGuest()) copyFolderWhole(KEPT_GUEST, GUEST)
  return undefined
}

function fetchGuest() {
  for (const tool of ['apt-get', 'apt-cache', 'dpkg-deb']) {
    if (findCommand(tool) === undefined) return `no ${tool} here to fetch a guest kernel with`
  }
  say('fetching a Linux kernel for the guests of the tests …')
  const folder = fs.mkdtempSync(join(CACHE, 'kernel-'))
  try {
    let problem = download(folder)
    // The lists may be missing or older than the archive.
    if (problem !== undefined && rootPrefix() !== undefined) problem = aptUpdate() ?? download(folder)
    return problem ?? unpack(folder)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function download(folder) {
  // The package itself holds nothing: it depends on that of the current version.
  const kernel = dependsOf(KERNEL_PACKAGE).find(name => name.startsWith('linux-image-'))
  if (kernel === undefined) return `apt knows no ${KERNEL_PACKAGE}`
  const packages = [kernel, AGENT_PACKAGE, ...librariesOf(AGENT_PACKAGE)]
  const result = run('apt-get', ['-q', 'download', ...packages], folder)
  return result.isOk ? undefined : `apt-get download ${packages.join(' ')} failed:\n${result.output}`
}

/** The packages of libraries that a program's package depends on, and those that these do. */
function librariesOf(name) {
  const isLibrary = needed => needed.startsWith('lib')
  const first = dependsOf(name).filter(isLibrary)
  return [...new Set([...first, ...first.flatMap(dependsOf).filter(isLibrary)])]
}

function dependsOf(name) {
  const { output } = run('apt-cache', ['depends', '--important', name])
  return Array.from(output.matchAll(/Depends: ([^\s<]\S*)/g), match => match[1])
}

function unpack(folder) {
  const archives = fs.readdirSync(folder).filter(name => name.endsWith('.deb'))
  if (archives.length === 0) return 'apt-get download left no package'
  for (const archive of archives) {
    const result = run('dpkg-deb', ['-x', archive, 'unpacked'], folder)
    if (!result.isOk) return `${archive} cannot be unpacked:\n${result.output}`
  }
  const [unpacked, guest] = [join(folder, 'unpacked'), join(folder, 'guest')]
  const boot = join(unpacked, 'boot')
  const kernel = fs.existsSync(boot) ? fs.readdirSync(boot).find(name => name.startsWith('vmlinuz-')) : undefined
  if (kernel === undefined) return `there is no boot/vmlinuz-* in the packages ${archives.join(' ')}`
  fs.mkdirSync(guest)
  fs.copyFileSync(join(boot, kernel), join(guest, 'vmlinuz'))
  pickModules(join(unpacked, 'lib', 'modules'), join(guest, 'modules'))
  const problem = pickAgent(unpacked, join(guest, 'agent'))
  if (problem === undefined) copyFolderWhole(guest, KEPT_GUEST)
  return problem
}

/** Copies the modules that guests load into one folder, with a list of them in an order in which they can be loaded. */
function pickModules(from, to) {
  const found = new Map()
  for (const path of fs.existsSync(from) ? fs.readdirSync(from, { recursive: true }) : []) {
    const name = /([^/]+)\.ko$/.exec(path)?.[1]
    if (name !== undefined) found.set(plain(name), join(from, path))
  }
  const ordered = new Set()
  const add = name => {
    const file = found.get(name)
    if (file === undefined || ordered.has(name)) return
    for (const needed of dependenciesOf(file)) add(needed)
    ordered.add(name)
  }
  for (const name of MODULES.split(' ')) add(name)
  fs.mkdirSync(to)
  for (const name of ordered) fs.copyFileSync(found.get(name), join(to, `${name}.ko`))
  fs.writeFileSync(join(to, 'order'), [...ordered].map(name => `${name}.ko\n`).join(''))
}

/** Modules are named with either dash, and mean the same. */
const plain = name => name.replaceAll('-', '_')

/** Source: modinfo(8); the section .modinfo is a row of texts that a zero ends each. */
function dependenciesOf(file) {
  const list = /\0depends=([^\0]*)\0/.exec(fs.readFileSync(file, 'latin1'))?.[1] ?? ''
  return list
    .split(',')
    .filter(name => name !== '')
    .map(plain)
}
