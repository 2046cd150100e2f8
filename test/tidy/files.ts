import { posix } from 'node:path'
import type { Finding, Source } from './source.ts'

/** How long a file may be. */
export const FILE_LINES_MAX = 500

/** Tables of declarations: as long as what they declare. */
const TABLES = [/^src\/model\/classes\//, /^src\/model\/enums/, /^src\/model\/errors\.ts$/]

const KEBAB_FILE = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|d))?\.(ts|tsx|mjs)$/
const KEBAB_FOLDER = /^[a-z0-9]+(-[a-z0-9]+)*$/
const NAMELESS = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc'])

/** Files over the wall. */
export function findLongFiles({ path, lineCount }: Source): Finding[] {
  if (lineCount <= FILE_LINES_MAX || TABLES.some(table => table.test(path))) return []
  return [
    {
      path,
      line: FILE_LINES_MAX + 1,
      message: `has ${lineCount} lines; cut it by what it knows, at ${FILE_LINES_MAX} at most`,
    },
  ]
}

/** A program of libvirt's world that is called so. */
const PROGRAM = 'virt-manager'

/** Files and folders that are not named for their noun, in kebab-case. */
export function findBadNames({ path }: Source): Finding[] {
  const name = posix.basename(path)
  const folders = posix.dirname(path).split('/')
  const messages: string[] = []
  if (!KEBAB_FILE.test(name)) messages.push(`${name} is not in kebab-case`)
  for (const folder of folders)
    if (!KEBAB_FOLDER.test(folder)) messages.push(`the folder ${folder} is not in kebab-case`)
  const words = [...folders, name.replace(/\..*$/, '')].flatMap(part => part.replace(PROGRAM, '').split('-'))
  for (const word of words) if (NAMELESS.has(word)) messages.push(`${word} names nothing; name the file for its noun`)
  return messages.map(message => ({ path, line: 1, message }))
}
