/** What of a host is to be there when the server starts. */

import type { Services } from '../engine/context.ts'
import type { Log } from '../engine/log.ts'
import { SR } from '../model/index.ts'
import type { RecordOf } from '../model/kernel/define.ts'
import { KeptNetworks } from './kept-networks.ts'
import { startRepository } from './repository.ts'

/** Starts the networks and repositories of each host that are to be there, once a host is connected for the first time. */
export function autostarter(services: Services, log: Log): () => Promise<void> {
  const { store, hosts } = services
  const begun = new Set<string>()
  return async () => {
    for (const { host } of hosts.connected()) {
      if (begun.has(host)) continue
      begun.add(host)
      const stopped = store.findBy(SR, 'host', host).filter(sr => isToStart(store.get(SR, sr)))
      const starts = [
        () => new KeptNetworks(services, host).autostart(),
        ...stopped.map(sr => () => startRepository(services, sr)),
      ]
      for (const start of starts) {
        await start().catch((error: unknown) =>
          log.warn({ host, reason: String(error) }, 'what is to start with the server could not be started'),
        )
      }
    }
  }
}

const isToStart = (record: RecordOf<typeof SR> | undefined): boolean =>
  record?.stopped === true && record.autostart && !record.transient
