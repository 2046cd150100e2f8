import type { AutostartOps } from '../driver.ts'
import type { AutostartBackEnd } from './autostart-back-end.ts'
import type { Directory } from './directory.ts'
import type { Gate } from './gate.ts'
import type { Locks } from './locks.ts'

/** What the group needs of a connection. */
export interface AutostartParts {
  readonly autostart: AutostartBackEnd
  readonly directory: Directory
  readonly locks: Locks
}

/** What becomes of machines when their host starts: Hyper-V's own three actions. */
export function autostartOps({ autostart, directory, locks }: AutostartParts, gate: Gate): AutostartOps {
  return {
    get: id => gate.pass(async () => autostart.startup((await directory.get(id)).machine.guid)),
    set: (id, action) =>
      gate.pass(() => locks.run(id, async () => autostart.setStartup((await directory.get(id)).machine.guid, action))),
  }
}
