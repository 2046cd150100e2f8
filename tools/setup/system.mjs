import * as fs from 'node:fs'
import { join } from 'node:path'

import { findCommand, run, say, sleep } from './run.mjs'

const APT_LOCK_WAIT_MS = 5 * 60_000
const APT_LOCK_POLL_MS = 1000

/** Looked for by what is there, not by what apt has installed: other systems have the tools under other names. */
const FOR_SERVING = [
  { name: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  { name: 'qemu-img', package: 'qemu-utils' },
]
const FOR_TESTS = [
  ...FOR_SERVING,
  { name: 'a static busybox', package: 'busybox-static', isThere: () => isStatic(findCommand('busybox')) },
  { name: 'python3', package: 'python3' },
  { name: 'curl', package: 'curl' },
  { name: 'xmllint', package: 'libxml2-utils' },
  { name: 'sfdisk', package: 'fdisk' },
  { name: 'mkfs.ext4', package: 'e2fsprogs' },
  { name: 'mkfs.vfat', package: 'dosfstools' },
  { name: 'mcopy', package: 'mtools' },
  { name: 'xorriso', package: 'xorriso' },
  { name: 'swtpm', package: 'swtpm' },
  { name: 'python3-winrm', package: 'python3-winrm', isThere: () => hasAny([join(PYTHON_MODULES, 'winrm')]) },
  { name: 'python3-gssapi', package: 'python3-gssapi', isThere: () => hasAny([join(PYTHON_MODULES, 'gssapi')]) },
  { name: 'gss-ntlmssp', package: 'gss-ntlmssp', isThere: () => hasAny(NTLM_MECHANISM) },
  { name: 'krb5kdc', package: 'krb5-kdc' },
  { name: 'kadmin.local', package: 'krb5-admin-server' },
  { name: 'kinit', package: 'krb5-user' },
  { name: 'libvirtd', package: 'libvirt-daemon' },
  { name: 'virsh', package: 'libvirt-clients' },
  { name: 'python3-libvirt', package: 'python3-libvirt', isThere: () => hasAny([join(PYTHON_MODULES, 'libvirt.py')]) },
  { name: 'SCRAM for SASL', package: 'libsasl2-modules', isThere: () => hasAny(saslModule('libscram.so.2')) },
  { name: 'Sys::Virt', package: 'libsys-virt-perl', isThere: () => hasAny(perlModule('Sys/Virt.pm')) },
  { name: 'virt-manager', package: 'virt-manager' },
  { name: 'virt-install', package: 'virtinst' },
  { name: 'osinfo-db', package: 'osinfo-db', isThere: () => hasAny(['/usr/share/osinfo/os']) },
  { name: 'Xvfb', package: 'xvfb' },
  { name: 'dbus-daemon', package: 'dbus-daemon' },
  { name: 'AT-SPI', package: 'at-spi2-core', isThere: () => hasAny(['/usr/libexec/at-spi-bus-launcher']) },
  { name: 'AT-SPI for Python', package: 'gir1.2-atspi-2.0', isThere: () => hasAny(typelib('Atspi-2.0')) },
  { name: 'certificate authorities', package: 'ca-certificates', isThere: () => hasAny(AUTHORITIES) },
]
/** Of the modules that packages bring; the python3 of PATH may be another. */
const PYTHON_MODULES = '/usr/lib/python3/dist-packages'
const LIBRARIES = '/usr/lib'
/** How GSSAPI is told of the mechanism. */
const NTLM_MECHANISM = ['/etc/gss/mech.d/mech.ntlmssp.conf', '/etc/gss/mech.d/mech.ntlmssp']
const AUTHORITIES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/** The tools that are not here, of those that serving or the tests need. */
export function missingTools(forTests) {
  const isThere = tool => (tool.isThere === undefined ? findCommand(tool.name) !== undefined : tool.isThere())
  return (forTests ? FOR_TESTS : FOR_SERVING).filter(tool => !isThere(tool))
}

/** Installs them through apt where that may be; what is wrong if it may not or fails, else undefined. */
export function installTools(missing) {
  if (missing.length === 0) return undefined
  const packages = missing.map(tool => tool.package)
  const names = missing.map(tool => tool.name).join(', ')
  if (findCommand('apt-get') === undefined) {
    return `missing: ${names}; install what your system calls ${packages.join(' ')}`
  }
  const command = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`
  if (rootPrefix() === undefined) return `missing: ${names}; run this once:\n  ${command}`
  say(`installing ${packages.join(' ')} …`)
  const failure = hasCandidates(packages) ? aptInstall(packages) : 'the package lists are missing or old'
  const secondFailure = failure === undefined ? undefined : (aptUpdate() ?? aptInstall(packages))
  if (secondFailure !== undefined)
    return `missing: ${names}; apt failed, look into it and run this:\n  ${command}\n${secondFailure}`
  const still = missing.filter(tool => missingTools(true).includes(tool))
  return still.length === 0 ? undefined : `apt installed ${packages.join(' ')}, and yet there is no ${still[0].name}`
}

function hasCandidates(packages) {
  const { isOk, output } = run('apt-cache', ['policy', ...packages])
  return isOk && (output.match(/Candidate: (?!\(none\))/g) ?? []).length === packages.length
}

const aptInstall = packages => apt(['install', '-y', '--no-install-recommends', ...packages])
/** Fetches the package lists anew; what apt said when it failed, else undefined. */
export const aptUpdate = () => apt(['update'])

/** Runs apt-get as root, waiting a while for another one; what it said when it failed, else undefined. */
function apt(args) {
  const settings = ['DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C']
  const [command, ...first] = [...(rootPrefix() ?? []), '/usr/bin/env', ...settings, 'apt-get', '-q']
  const until = Date.now() + APT_LOCK_WAIT_MS
  for (;;) {
    const { isOk, output } = run(command, [...first, ...args])
    if (isOk) return undefined
    const isLocked = /Could not get lock|Unable to lock|Unable to acquire the dpkg frontend lock/.test(output)
    if (!isLocked || Date.now() > until) return output
    sleep(APT_LOCK_POLL_MS)
  }
}

/** What to put before a command that only root may run; undefined where that cannot be. */
export function rootPrefix() {
  if (run('id', ['-u']).output.trim() === '0') return []
  return findCommand('sudo') !== undefined && run('sudo', ['-n', 'true']).isOk ? ['sudo', '-n'] : undefined
}

function hasAny(files) {
  return files.some(file => fs.existsSync(file))
}

/** Where what tells other languages of a library would be, in a folder of each architecture. */
function typelib(name) {
  return fs.readdirSync(LIBRARIES).map(entry => join(LIBRARIES, entry, 'girepository-1.0', `${name}.typelib`))
}

/** Where a mechanism of Cyrus SASL would be, in a folder of each architecture or in one for all. */
function saslModule(name) {
  const folders = fs.readdirSync(LIBRARIES).map(entry => join(LIBRARIES, entry, 'sasl2'))
  return [...folders, join(LIBRARIES, 'sasl2'), '/usr/lib64/sasl2'].map(folder => join(folder, name))
}

/** Where a module of Perl would be that is compiled: in a folder of each architecture, and in that one of each release. */
function perlModule(name) {
  const below = folder => (fs.existsSync(folder) ? fs.readdirSync(folder).map(entry => join(folder, entry)) : [])
  const folders = below(LIBRARIES).map(folder => join(folder, 'perl5'))
  return folders.flatMap(below).map(folder => join(folder, name))
}

/** Whether the program brings everything along: the guests have no libraries. Source: ELF-64, program header PT_INTERP. */
function isStatic(file) {
  if (file === undefined) return false
  const head = Buffer.alloc(4096)
  const descriptor = fs.openSync(file)
  fs.readSync(descriptor, head)
  fs.closeSync(descriptor)
  if (head.toString('latin1', 1, 4) !== 'ELF') return false
  const [start, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)]
  for (let index = 0; index < count && start + (index + 1) * size <= head.length; index++) {
    if (head.readUInt32LE(start + index * size) === 3) return false
  }
  return true
}
