import type { DomainOps } from '../driver.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { infoOf } from './measurement.ts'

/** The group `domains`. */
export const domainOps = (inventory: Inventory, gate: Gate): DomainOps => ({
  list: () => gate.pass(async () => inventory.all().map(domain => domain.summary)),
  get: id => gate.pass(() => inventory.find(id).look()),
  info: id => gate.pass(() => infoOf(inventory.find(id))),
  config: id => gate.pass(async () => structuredClone(inventory.find(id).config)),
  living: id => gate.pass(async () => structuredClone(inventory.find(id).living.config)),
  configs: (ids, { isLiving = false } = {}) =>
    gate.pass(async () => {
      const wanted = new Set(ids)
      const all = inventory.all().filter(({ id }) => wanted.has(id))
      return all.map(({ config, living }) => structuredClone(isLiving ? living.config : config))
    }),
  define: config => gate.pass(() => inventory.define(config)),
  undefine: id => gate.pass(() => inventory.undefine(id)),
  start: (id, options) => gate.pass(() => inventory.find(id).start(options)),
  pause: id => gate.pass(() => inventory.find(id).pause()),
  unpause: id => gate.pass(() => inventory.find(id).unpause()),
  requestShutdown: id => gate.pass(() => inventory.find(id).requestShutdown()),
  powerOff: id => gate.pass(() => inventory.find(id).powerOff()),
  reset: (id, options) => gate.pass(() => inventory.find(id).reset(options)),
  injectNmi: id => gate.pass(() => inventory.find(id).change(({ machine }) => machine.execute('inject-nmi'))),
})
