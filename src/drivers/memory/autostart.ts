import type { AutostartOps } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { MemoryHost } from './host.ts'

/** What becomes of domains when a memory host starts, which it does with its process: kept, and told. */
export function autostartOps(host: MemoryHost, connection: Connection): AutostartOps {
  return {
    get: id => connection.call('autostart.get', () => host.domain(id).startup),
    set: (id, action) =>
      connection.call('autostart.set', () => {
        host.domain(id).startup = action
      }),
  }
}
