import { DriverError } from '../driver.ts'

// Paths of files as Windows has them. Source: Microsoft Learn, "Naming Files, Paths, and Namespaces".

/** MAX_PATH without the NUL at its end. */
const PATH_LENGTH_MAX = 259
const FORBIDDEN = /[\p{Cc}<>:"/\\|?*]/u
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i

/** Whether a file or folder may be called so. */
export const isFileName = (name: string): boolean =>
  name !== '' && name.isWellFormed() && !FORBIDDEN.test(name) && !DEVICE.test(name) && !/[. ]$/.test(name)

/**
 * An absolute path on a drive, as Windows prints it: single backslashes, none at its end unless it is the root of the
 * drive. Undefined for what is none, and for what leads out of its own folder.
 */
export function parsePath(text: string): string | undefined {
  const [, drive, rest] = /^([a-z]:)[\\/](.*)$/is.exec(text) ?? []
  if (drive === undefined || rest === undefined) return undefined
  const parts = rest.split(/[\\/]+/).filter(part => part !== '')
  const path = `${drive}\\${parts.join('\\')}`
  return parts.every(isFileName) && path.length <= PATH_LENGTH_MAX ? path : undefined
}

/** As `parsePath`; throws DriverError, `refused`, for what is none. */
export function demandPath(text: string): string {
  const path = parsePath(text)
  if (path !== undefined) return path
  throw new DriverError(
    'refused',
    `${JSON.stringify(text)} is no absolute path on a drive of the host, such as C:\\Images`,
  )
}

/** What makes two paths one: Windows tells neither case nor kinds of separators apart. */
export const pathKey = (path: string): string => path.replaceAll(/[\\/]+/g, '\\').toLowerCase()

export const isSamePath = (one: string, other: string): boolean => pathKey(one) === pathKey(other)

/** `C:` of a path. */
export const driveOf = (path: string): string => path.slice(0, 2)

/** The folder that a file or folder is in; the root of a drive is in itself. */
export function folderOf(path: string): string {
  const folder = path.slice(0, path.lastIndexOf('\\'))
  return folder.length > 2 ? folder : `${driveOf(path)}\\`
}

/** The last name of a path. */
export const baseOf = (path: string): string => path.slice(path.lastIndexOf('\\') + 1)

/** A file or folder in a folder. */
export const pathIn = (folder: string, name: string): string => `${folder.replace(/\\$/, '')}\\${name}`

/** What is behind the last point of a file's name, in lower case, with the point; empty where there is none. */
export const endingOf = (path: string): string => /\.[^.\\/]*$/.exec(path)?.[0].toLowerCase() ?? ''

/** A file's name without its folder and ending. */
export function nameOf(path: string): string {
  const base = baseOf(path)
  return base.slice(0, base.length - endingOf(base).length)
}
