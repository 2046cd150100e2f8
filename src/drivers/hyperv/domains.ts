import type { DomainId, DomainOps } from '../driver.ts'
import { isLost } from './again.ts'
import type { Descriptions } from './descriptions.ts'
import { domainOf } from './directory.ts'
import type { Gate } from './gate.ts'
import type { Power, PowerParts } from './power.ts'
import { assertState, isGone } from './states.ts'
import type { ToldDevices } from './told-devices.ts'

/** What the group needs of a connection. */
export interface DomainParts extends PowerParts {
  readonly descriptions: Descriptions
  readonly told: ToldDevices
}

/** The domains of a host. */
export function domainOps(parts: DomainParts, power: Power, gate: Gate): DomainOps {
  const { directory, definitions, descriptions, told, locks, events } = parts
  const { injectNmi } = parts.backEnd
  return {
    list: () => gate.pass(async () => (await directory.list()).map(domainOf)),
    get: id => gate.pass(async () => domainOf(await directory.get(id))),
    info: id => gate.pass(() => descriptions.info(id)),
    config: id => gate.pass(() => descriptions.config(id)),
    described: id => gate.pass(() => descriptions.whole(id)),
    configs: (ids, options) => gate.pass(() => descriptions.configs(ids, options?.isLiving)),
    unmet: config => definitions.unmet(config),
    define(config, options) {
      const kept = structuredClone(config)
      const define = async () => {
        events.defined(await definitions.define(kept, options))
      }
      return gate.pass(() => locks.run(kept.id, define))
    },
    amend: (id, change, options) =>
      gate.pass(() =>
        locks.run(id, async () => {
          const { domain, config, ...seen } = await descriptions.described(id)
          const changed = change(config, domain)
          if (changed === undefined) {
            const living = await descriptions.madeOf(seen.entry, seen.hardware)
            return { domain, config, ...(living !== undefined && { living }) }
          }
          const entry = await definitions.redefine(seen, structuredClone(changed), options)
          events.defined(entry)
          return { domain: domainOf(entry), config: changed }
        }),
      ),
    undefine: id =>
      gate.pass(() =>
        locks.run(id, async () => {
          const entry = await directory.get(id)
          assertState(entry, 'undefine', ['halted'])
          await destroy(parts, entry.machine.guid)
          directory.forget(id)
          told.forget(entry.machine.guid)
          events.gone(entry)
        }),
      ),
    start: (id, options) => gate.pass(() => power.start(id, options)),
    pause: id => gate.pass(() => power.pause(id)),
    unpause: id => gate.pass(() => power.unpause(id)),
    requestShutdown: id => gate.pass(() => power.requestShutdown(id)),
    powerOff: id => gate.pass(() => power.powerOff(id)),
    reset: (id, options) => gate.pass(() => power.reset(id, options)),
    ...(injectNmi !== undefined && {
      injectNmi: (id: DomainId) =>
        gate.pass(() =>
          locks.run(id, async () => {
            const entry = await directory.get(id)
            assertState(entry, 'interrupt', ['running'])
            await injectNmi(entry.machine.guid)
          }),
        ),
    }),
  }
}

/** Where the answer is lost, the machine is gone or not. */
async function destroy({ backEnd, directory }: PowerParts, guid: string): Promise<void> {
  try {
    await backEnd.destroy(guid)
  } catch (error) {
    if (!isLost(error) || !(await isGone(directory, guid))) throw error
  }
}
