import { legacyEntry } from './grub-legacy.ts'
import { type GrubDisk, type GrubEntry, type GrubLoaded, GrubShell } from './grub-shell.ts'
import { damaged } from './reader.ts'

/** Where a menu was found. */
export interface GrubMenu {
  readonly device: string
  readonly folder: string
  readonly file: string
}

/** Where GRUB is told what to do, on a file system of its own or of the root's; its own menu first. */
export const MENUS: ReadonlyArray<Omit<GrubMenu, 'device'>> = [
  ...['/boot/grub', '/boot/grub2', '/grub', '/grub2'].map(folder => ({ folder, file: 'grub.cfg' })),
  ...['/boot/grub', '/grub'].map(folder => ({ folder, file: 'menu.lst' })),
]

const MENU_DEPTH_MAX = 8

/** What the entry loads that a menu boots when nobody chooses. Rejects as `refused` where there is none that loads Linux. */
export async function defaultEntry(disk: GrubDisk, { device, folder, file }: GrubMenu): Promise<GrubLoaded> {
  if (file === 'menu.lst') return legacyEntry((await disk.readText(device, `${folder}/${file}`)) ?? '', device)
  const shell = new GrubShell(disk, device, folder)
  await shell.runFile(`${folder}/${file}`)
  const entry = await choose(shell)
  const loaded = await shell.load(entry)
  if (loaded === undefined)
    throw damaged(`the entry ${JSON.stringify(entry.title)} of GRUB's menu loads no Linux kernel`)
  return loaded
}

/** The variable `default` names an entry by title, id, or number from 0; in a menu below, after a `>`. */
async function choose(shell: GrubShell): Promise<GrubEntry> {
  let path = (shell.variables.get('default') ?? '0').split('>')
  for (let depth = 0; depth < MENU_DEPTH_MAX; depth++) {
    const [wanted = '0', ...below] = path
    const { entries } = shell
    const index = entries.findIndex(({ title, id }) => title === wanted || id === wanted)
    const entry = entries[index] ?? entries[/^\d+$/.test(wanted) ? Number(wanted) : 0] ?? entries[0]
    if (entry === undefined) throw damaged("GRUB's menu has no entries that could be read")
    if (!entry.isMenu) return entry
    shell.entries = []
    await shell.run(entry.body)
    path = below
  }
  throw damaged("GRUB's menus are too deep in each other")
}

/** Words as GRUB hands them to a kernel. Source: GRUB 2.06, grub-core/lib/cmdline.c. */
export const toCommandLine = (words: readonly string[]): string =>
  words
    .map(word => {
      const escaped = word.replaceAll(/[\\'"]/g, '\\$&')
      return word.includes(' ') ? `"${escaped}"` : escaped
    })
    .join(' ')
