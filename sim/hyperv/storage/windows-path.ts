/** A place in the host's file system: what is behind the drive letter, from the root on. */
export interface WindowsPath {
  /** In upper case. */
  readonly drive: string
  /** Folders and, last, a file; none for the root of the drive. */
  readonly parts: readonly string[]
}

// Source: Microsoft Learn, "Naming Files, Paths, and Namespaces": MAX_PATH with the NUL at its end, and what names
// must not be.
const PATH_LENGTH_MAX = 259
const FORBIDDEN = /[\p{Cc}<>:"|?*]/u
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i
/** What a name may take on the disks that the host's files really are on. */
const NAME_BYTES_MAX = 255

/**
 * Reads an absolute path on a drive. Undefined for what a host cannot open: relative paths, shares, devices, names that
 * Windows forbids. Dots are refused as well, so that no path leads out of its folder.
 */
export function parseWindowsPath(text: string): WindowsPath | undefined {
  if (text.length > PATH_LENGTH_MAX) return undefined
  const [, drive, rest] = /^([a-z]):[\\/](.*)$/is.exec(text) ?? []
  if (drive === undefined || rest === undefined) return undefined
  // Windows takes several separators for one, and either of them.
  const parts = rest.split(/[\\/]+/).filter(part => part !== '')
  return parts.every(isName) ? { drive: drive.toUpperCase(), parts } : undefined
}

function isName(part: string): boolean {
  if (DEVICE.test(part) || /[. ]$/.test(part) || Buffer.byteLength(part) > NAME_BYTES_MAX) return false
  return part.isWellFormed() && !FORBIDDEN.test(part)
}

/** As Windows prints it. */
export function printWindowsPath({ drive, parts }: WindowsPath): string {
  return `${drive}:\\${parts.join('\\')}`
}

/** The folder that something is in; the root is in itself. */
export function folderOf({ drive, parts }: WindowsPath): WindowsPath {
  return { drive, parts: parts.slice(0, -1) }
}

/** The last name of a path; empty for the root. */
export const nameIn = ({ parts }: WindowsPath): string => parts.at(-1) ?? ''

/** What is behind the last point of a name, in lower case; empty where there is none. */
export function extensionOf(path: string): string {
  return (/\.([^.\\/]*)$/.exec(path)?.[1] ?? '').toLowerCase()
}

/** What makes two paths one: Windows tells neither case nor separators apart. */
export const sameFileKey = (path: string): string => path.replaceAll(/[\\/]+/g, '\\').toLowerCase()
