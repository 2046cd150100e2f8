import * as fs from 'node:fs'
import { basename, join } from 'node:path'

/** Debian's package of the program that answers the host from inside a guest. */
export const AGENT_PACKAGE = 'qemu-guest-agent'
/** The program's place in the package. */
const PROGRAM = join('usr', 'sbin', 'qemu-ga')

/** Copies the agent and the libraries it needs into one folder, out of unpacked packages; what is wrong, else undefined. */
export function pickAgent(from, to) {
  const libraries = new Map()
  for (const folder of ['lib', 'lib64', join('usr', 'lib')]) {
    const path = join(from, folder)
    for (const name of fs.existsSync(path) ? fs.readdirSync(path, { recursive: true }) : []) {
      if (fs.statSync(join(path, name), { throwIfNoEntry: false })?.isFile())
        libraries.set(basename(name), join(path, name))
    }
  }
  if (!fs.existsSync(join(from, PROGRAM))) return `there is no ${PROGRAM} in ${AGENT_PACKAGE}`
  const picked = new Map([['qemu-ga', join(from, PROGRAM)]])
  // A map that grows while it is gone through is gone through to its new end.
  for (const file of picked.values()) {
    for (const name of librariesNamedIn(file)) if (libraries.has(name)) picked.set(name, libraries.get(name))
  }
  fs.mkdirSync(to)
  for (const [name, file] of picked) fs.copyFileSync(file, join(to, name))
  return undefined
}

/** Source: ELF-64; the names of needed libraries are texts that a zero ends each, in the section .dynstr. */
function librariesNamedIn(file) {
  const names = fs.readFileSync(file, 'latin1').matchAll(/(?<=\0)(?:lib[\w.+-]+|ld-linux[\w-]*)\.so\.\d+(?=\0)/g)
  return new Set(Array.from(names, ([name]) => name))
}
