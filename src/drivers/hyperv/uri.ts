import { isAbsolute } from 'node:path'
import { parseTargetUri, TargetError, type WsmanTarget } from '../../protocols/wsman/index.ts'
import { DriverError } from '../driver.ts'
import { readPasswordFile } from './password-file.ts'

/** The one parameter that is the driver's own and not WS-Management's: where the password stands. */
const PASSWORD_FILE = 'password_file'

/** Whom to speak with, and where the password stands. */
export interface HypervTarget {
  readonly target: WsmanTarget
  readonly passwordFile: string | undefined
}

/**
 * Whom to speak with, as `hyperv://user@host[:port]/?…&password_file=FILE` says it. The password itself has no place in
 * a URI, which is shown and logged; it is read from the file whenever a connection needs it. Whatever is not understood
 * is refused by name.
 */
export function parseHypervUri(uri: URL): HypervTarget {
  const rest = new URL(uri)
  const files = rest.searchParams.getAll(PASSWORD_FILE)
  const [file] = files
  if (files.length > 1) throw new DriverError('refused', `the URI of the host has ${PASSWORD_FILE} twice`)
  if (file !== undefined && !isAbsolute(file)) {
    throw new DriverError('refused', `${PASSWORD_FILE} in the URI of the host is no absolute path`)
  }
  rest.searchParams.delete(PASSWORD_FILE)
  try {
    const target = parseTargetUri(rest.href, file === undefined ? undefined : () => readPasswordFile(file))
    return { target, passwordFile: file }
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    const hint = file === undefined ? `; ${PASSWORD_FILE}=FILE in the URI says where a password stands` : ''
    throw new DriverError('refused', `${error.message}${hint}`, { cause: error })
  }
}
