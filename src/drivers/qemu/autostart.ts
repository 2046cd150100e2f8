import { readFile, rm } from 'node:fs/promises'
import { JsonShapeError, stringMember, toJsonObject } from '../../protocols/qmp/json.ts'
import { type AutostartOps, DriverError, type StartupAction } from '../driver.ts'
import { syncFolder, systemCode, writeAtomically } from './files.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { type DomainFiles, filesOf } from './layout.ts'

/** The group `autostart`. What it keeps, `HostStart` does. */
export const autostartOps = (root: string, inventory: Inventory, gate: Gate): AutostartOps => ({
  get: id => gate.pass(() => readAction(filesOf(root, inventory.find(id).id))),
  set: (id, action) =>
    gate.pass(() =>
      inventory.find(id).hold(async () => {
        // It may have been forgotten while this waited.
        await writeAction(filesOf(root, inventory.find(id).id), action)
      }),
    ),
})

/** What becomes of a domain when its host starts. Rejects as `refused` where what was kept cannot be read. */
export async function readAction(files: DomainFiles): Promise<StartupAction> {
  try {
    const action = stringMember(toJsonObject(JSON.parse(await readFile(files.autostart, 'utf8')), 'it'), 'action')
    if (action !== 'always' && action !== 'if-was-running') throw new JsonShapeError(`no action is called ${action}`)
    return action
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'never'
    if (!(error instanceof SyntaxError || error instanceof JsonShapeError)) throw error
    throw new DriverError('refused', `${files.autostart} cannot be read: ${error.message}`, { cause: error })
  }
}

async function writeAction(files: DomainFiles, action: StartupAction): Promise<void> {
  if (action !== 'never') return writeAtomically(files.autostart, `${JSON.stringify({ action })}\n`)
  await rm(files.autostart, { force: true })
  await syncFolder(files.folder)
}
