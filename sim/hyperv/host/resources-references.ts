import { parsePath } from '../cim/path.ts'

/**
 * The key of an instance that a path names, as Hyper-V's own methods read it: whatever the host and the namespace say,
 * backslashes doubled. Undefined for what is no such path. Source: single backslashes were seen refused.
 */
export function keyIn(text: string | undefined, className: RegExp, key: string): string | undefined {
  const path = text === undefined ? undefined : parsePath(text, { isStrict: true })
  if (path === undefined || !className.test(path.className)) return undefined
  const wanted = key.toLowerCase()
  return [...path.keys].find(([name]) => name === '' || name.toLowerCase() === wanted)?.[1]
}

/** The InstanceID of settings that a path names. */
export const settingsIn = (text: string | undefined): string | undefined =>
  keyIn(text, /^(Msvm|CIM)_\w*SettingData$/i, 'InstanceID')
