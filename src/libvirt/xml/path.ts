/**
 * A path of Windows, in which each backslash may be written twice, as in the document's examples; what begins with two is
 * on another host. Source: "libvirt driver for Hyper-V", §3.1.1, §3.1.4.
 */
export function windowsPath(path: string): string {
  const rest = path.replace(/^\\{2,}/, '')
  return (rest === path ? '' : String.raw`\\`) + rest.replaceAll(/\\+/g, '\\')
}
