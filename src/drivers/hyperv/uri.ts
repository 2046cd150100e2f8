import { isAbsolute } from 'node:path'
import { parseTargetUri, TargetError, type WsmanTarget } from '../../protocols/wsman/index.ts'
import { DriverError } from '../driver.ts'
import { NAMESPACE_NAMES, type NamespaceName } from './namespace-name.ts'
import { readPasswordFile } from './password-file.ts'

/** The parameters that are the driver's own and not WS-Management's: where the password stands, and which namespace. */
const PASSWORD_FILE = 'password_file'
const NAMESPACE = 'namespace'

/** Whom to speak with, through which namespace, and where the password stands. */
export interface HypervTarget {
  readonly target: WsmanTarget
  /** Undefined where the host's newest is wanted. */
  readonly namespace: NamespaceName | undefined
  readonly passwordFile: string | undefined
}

/**
 * Whom to speak with, as `hyperv://user@host[:port]/?…&namespace=v1|v2&password_file=FILE` says it. The password itself
 * has no place in a URI, which is shown and logged; it is read from the file whenever a connection needs it, or had by
 * `password` where the URI names none. Whatever is not understood is refused by name.
 */
export function parseHypervUri(uri: URL, password?: () => Promise<string>): HypervTarget {
  const rest = new URL(uri)
  const file = takeParameter(rest, PASSWORD_FILE)
  if (file !== undefined && !isAbsolute(file)) {
    throw new DriverError('refused', `${PASSWORD_FILE} in the URI of the host is no absolute path`)
  }
  const namespace = readNamespace(takeParameter(rest, NAMESPACE))
  try {
    const target = parseTargetUri(rest.href, file === undefined ? password : () => readPasswordFile(file))
    return { target, namespace, passwordFile: file }
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    const hint = file === undefined ? `; ${PASSWORD_FILE}=FILE in the URI says where a password stands` : ''
    throw new DriverError('refused', `${error.message}${hint}`, { cause: error })
  }
}

function takeParameter(uri: URL, name: string): string | undefined {
  const values = uri.searchParams.getAll(name)
  if (values.length > 1) throw new DriverError('refused', `the URI of the host has ${name} twice`)
  uri.searchParams.delete(name)
  return values[0]
}

function readNamespace(text: string | undefined): NamespaceName | undefined {
  const name = NAMESPACE_NAMES.find(one => one === text)
  if (text === undefined || name !== undefined) return name
  throw new DriverError(
    'refused',
    `${NAMESPACE} in the URI of the host is ${NAMESPACE_NAMES.join(' or ')}, not ${text}`,
  )
}
