import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Session } from '../support/client.ts'

const LISTED = ['VM', 'VDI', 'VBD', 'VIF', 'SR', 'network']

/** Every file below a folder, and the programs of every process that has to do with them. Source: proc(5). */
export async function footprint(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.map(entry => join(entry.parentPath, entry.name)).toSorted()
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const lines = await Promise.all(ids.map(id => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  const programs = lines.filter(line => line.includes(`${folder}/`)).map(line => basename(line.split('\0')[0] ?? ''))
  return { files, processes: programs.toSorted() }
}

/** What the API tells of all that is there. */
export async function told(session: Session) {
  const lists = LISTED.map(async kind => [kind, (await session.list(`${kind}.get_all`)).toSorted()] as const)
  const states = (await session.list('VM.get_all')).map(
    async vm => [vm, await session.text('VM.get_power_state', vm), await session.list('VM.get_VBDs', vm)] as const,
  )
  const plugged = ['VBD', 'VIF'].map(async kind =>
    Promise.all(
      (await session.list(`${kind}.get_all`)).map(
        async ref => [ref, await session.ok(`${kind}.get_currently_attached`, ref)] as const,
      ),
    ),
  )
  return { lists: await Promise.all(lists), states: await Promise.all(states), plugged: await Promise.all(plugged) }
}
