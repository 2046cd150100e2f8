import type { GrubLoaded } from './grub-shell.ts'
import { damaged } from './reader.ts'

const LINES_MAX = 10_000

interface LegacyEntry {
  readonly title: string
  root: string
  kernel: readonly string[] | undefined
  initrd: string | undefined
}

/**
 * What the default entry of a `menu.lst` of GRUB 0.97 loads; the menu is on `device`. A saved choice is not looked up: the
 * first entry stands for it.
 * Source: GNU GRUB Legacy manual, "Configuration".
 */
export function legacyEntry(menu: string, device: string): GrubLoaded {
  const lines = menu.split('\n')
  if (lines.length > LINES_MAX) throw damaged("GRUB's menu is too long")
  let chosen = 0
  const entries: LegacyEntry[] = []
  for (const line of lines) {
    const [, command = '', rest = ''] = /^\s*([a-z]+)[\s=]*(.*?)\s*$/.exec(line) ?? []
    const entry = entries.at(-1)
    if (command === 'default' && entry === undefined) chosen = Number.parseInt(rest, 10) || 0
    else if (command === 'title') entries.push({ title: rest, root: device, kernel: undefined, initrd: undefined })
    else if (entry === undefined) continue
    else if (command === 'root' || command === 'rootnoverify') entry.root = modernDevice(rest)
    else if (command === 'kernel') entry.kernel = rest.split(/\s+/).filter(word => !word.startsWith('--'))
    else if (command === 'initrd') entry.initrd = modernName(rest)
  }
  const entry = entries[chosen] ?? entries[0]
  if (entry === undefined) throw damaged("GRUB's menu has no entries")
  const [kernel = '', ...words] = entry.kernel ?? []
  if (kernel === '') throw damaged(`the entry ${JSON.stringify(entry.title)} of GRUB's menu loads no kernel`)
  const initrds = entry.initrd === undefined ? [] : [entry.initrd]
  return { kernel: modernName(kernel), device: entry.root, words, initrds }
}

/** Legacy GRUB counts partitions from 0, and has one kind of table. */
function modernDevice(device: string): string {
  const match = /^\(?hd(\d+)(?:,(\d+))?/.exec(device)
  if (match === null) return ''
  return match[2] === undefined ? `hd${match[1]}` : `hd${match[1]},${Number(match[2]) + 1}`
}

const modernName = (name: string): string =>
  name.replace(/^\(([^)]*)\)/, (_all, device: string) => `(${modernDevice(device)})`)
