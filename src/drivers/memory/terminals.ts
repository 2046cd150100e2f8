import type { ConsoleKind, DomainState, TerminalOps } from '../driver.ts'
import { DriverError } from '../driver.ts'
import type { Connection } from './connection.ts'
import type { MemoryDomain, MemoryHost } from './host.ts'
import { activeOf } from './life.ts'
import { SerialTerminal } from './serial-terminal.ts'
import { VncTerminal } from './vnc-terminal.ts'

/** How many consoles a connection may have open. */
const TERMINALS_MAX = 1000

const LIVING = ['running', 'paused', 'crashed'] as const satisfies readonly DomainState[]

/** The consoles that a connection has open. */
export interface Terminals {
  readonly ops: TerminalOps
  /** Ends them all. */
  close(): void
}

/** The consoles of a memory host. */
export function createTerminals(host: MemoryHost, connection: Connection): Terminals {
  const open = new Set<SerialTerminal | VncTerminal>()

  function connect(domain: MemoryDomain, kind: ConsoleKind): SerialTerminal | VncTerminal {
    const { guest, config } = activeOf(domain, `open the console ${kind} of`, LIVING)
    if (!kindsOf(domain).includes(kind)) throw new DriverError('bad-state', `${domain.now.name} has no console ${kind}`)
    if (open.size >= TERMINALS_MAX) throw new DriverError('refused', `${TERMINALS_MAX} consoles are open already`)
    const terminal =
      kind === 'serial'
        ? new SerialTerminal(guest, domain.serial, host.agenda)
        : new VncTerminal(guest, config.name, host.agenda)
    const detach = host.attach(({ id }) => {
      if (id === domain.now.id && domain.active?.guest !== guest) terminal.finish()
      else if (id === domain.now.id && domain.now.state === 'suspended') terminal.finish()
    })
    open.add(terminal)
    terminal.once('close', () => {
      detach()
      open.delete(terminal)
    })
    return terminal
  }

  return {
    ops: {
      kinds: id => connection.call('terminals.kinds', () => kindsOf(host.domain(id))),
      open: (id, kind) => connection.call('terminals.open', () => connect(host.domain(id), kind)),
    },
    close() {
      for (const terminal of open) terminal.destroy()
    },
  }
}

function kindsOf({ active, now }: MemoryDomain): ConsoleKind[] {
  if (active === null || !LIVING.some(state => state === now.state)) return []
  return active.config.platform?.serial === 'none' ? ['vnc'] : ['serial', 'vnc']
}
