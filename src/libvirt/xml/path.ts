/** What no path of Windows begins with: the folder that a client was in which took one for a relative path of its own. */
const FOLDER_OF_CLIENT = /^\/(?:[^\\]*?\/)?(?=[A-Za-z]:[\\/]|\\\\)/

/**
 * A path of Windows, in which each backslash may be written twice, as in the document's examples; what begins with two is
 * on another host. Source: "libvirt driver for Hyper-V", §3.1.1, §3.1.4. It may stand behind the folder of a client that
 * knows only paths of POSIX. Source: virt-manager 4.1, virtinst/diskbackend.py (manage_path).
 */
export function windowsPath(path: string): string {
  const own = path.replace(FOLDER_OF_CLIENT, '')
  const rest = own.replace(/^\\{2,}/, '')
  const separators = isOnDrive(own) || rest !== own ? /[\\/]+/g : /\\+/g
  return (rest === own ? '' : String.raw`\\`) + rest.replaceAll(separators, '\\')
}

/** Whether a path of Windows says on which drive of the host it is, and the whole way from there. */
export const isOnDrive = (path: string): boolean => /^[A-Za-z]:[\\/]/.test(path)
