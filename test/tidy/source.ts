import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Token, tokenize } from './lexer.ts'

/** A file of the repository. */
export interface Source {
  /** From the root of the repository, with slashes. */
  readonly path: string
  readonly text: string
  readonly lineCount: number
  /** All tokens. */
  readonly tokens: readonly Token[]
  /** The tokens but for comments. */
  readonly code: readonly Token[]
}

/** Something that is not as the house has it. */
export interface Finding {
  readonly path: string
  readonly line: number
  /** What is wrong and what to do about it. */
  readonly message: string
}

/** The folders that hold code. */
export const ROOTS = ['src', 'sim', 'web', 'bench', 'tools', 'test', 'examples', 'types'] as const

const CODE = /\.(ts|tsx|mjs)$/
const NOT_OURS = /(^|\/)(node_modules|dist|coverage|generated|\.[^/]*)(\/|$)/

/** All code below `folders`, or below the folders that hold code. */
export function readSources(root: string, folders: readonly string[] = ROOTS): Source[] {
  return folders
    .flatMap(folder => listFiles(root, folder))
    .filter(path => CODE.test(path))
    .map(path => readSource(root, path))
}

/** A file from its text, such as a sample in a test. */
export function sourceOf(path: string, text: string): Source {
  const tokens = tokenize(text)
  const code = tokens.filter(token => token.kind !== 'comment' && token.kind !== 'doc')
  const lineCount = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  return { path, text, lineCount, tokens, code }
}

/** The paths of all files below a folder, hidden, built and foreign ones apart. */
export function listFiles(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter(path => !NOT_OURS.test(path))
    .toSorted()
}

function readSource(root: string, path: string): Source {
  return sourceOf(path, readFileSync(join(root, path), 'utf8'))
}
