import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { Failure, Interrupted } from './failure.ts'
import type { Io } from './io.ts'

const PASSWORD_BYTES_MAX = 4096

/** The password in a file, or on standard input for `-`: its text without the line end. */
export async function readPasswordFile(path: string, io: Io): Promise<string> {
  const text = path === '-' ? await readStandardInput(io) : await readText(path)
  const password = text.replace(/\r?\n$/, '')
  if (password === '' || password.length > PASSWORD_BYTES_MAX || /[\r\n]/.test(password)) {
    throw new Failure(`${path === '-' ? 'standard input' : path} must hold one line: the password`)
  }
  return password
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Failure(`cannot read the password file ${path}: ${String(error)}`)
  }
}

async function readStandardInput({ stdin }: Io): Promise<string> {
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.length > PASSWORD_BYTES_MAX) break
  }
  return text
}

/** Asks for a password on the terminal and shows nothing of it; undefined where there is no terminal. */
export async function askPassword(question: string, { stdin, stderr }: Io): Promise<string | undefined> {
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: nowhere, terminal: true })
  const stop = new AbortController()
  lines.once('SIGINT', () => stop.abort()).once('close', () => stop.abort())
  stderr.write(question)
  try {
    return await lines.question('', { signal: stop.signal })
  } catch (error) {
    if (stop.signal.aborted) throw new Interrupted('no password given')
    throw error
  } finally {
    stderr.write('\n')
    lines.close()
  }
}

/** A new password: from a file, else asked for twice. */
export async function newPassword(user: string, file: string | undefined, io: Io): Promise<string> {
  if (file !== undefined) return await readPasswordFile(file, io)
  const password = await askPassword(`New password of ${user}: `, io)
  if (password === undefined) {
    throw new Failure('no new password given', {
      hint: 'name a file with --password-file FILE, or - for standard input',
    })
  }
  if (password !== (await askPassword('Again: ', io))) throw new Failure('the two passwords differ')
  return password
}
