import type { DomainEvent, ExitActions } from '../driver.ts'
import type { ExitKeeper } from './exit-keeper.ts'
import { actionOn } from './exits.ts'
import type { Machine, MachineWitness } from './machine.ts'
import { EXIT_EVENTS } from './run-state.ts'

/** What a domain does about what happens to its machine. */
export interface WitnessOptions {
  /** Undefined for a machine that is not, or no longer, the domain's. */
  readonly mine: () => Machine | undefined
  readonly tell: (kind: DomainEvent['kind']) => void
  readonly warn: (message: string) => void
  readonly keeper: ExitKeeper
  readonly exits: () => ExitActions | undefined
  /** Does something with the machine in its turn among all operations. */
  readonly afterwards: (operation: () => Promise<void>) => void
  readonly takeOver: (machine: Machine) => Promise<void>
  readonly ended: () => void
}

/** Hears what happens to a domain's machine, tells of it, and sees to what follows. */
export function witnessOf(options: WitnessOptions): MachineWitness {
  const { mine, tell, warn, keeper, exits, afterwards, takeOver, ended } = options
  const ifMine = (act: (machine: Machine) => void) => () => {
    const machine = mine()
    if (machine !== undefined) act(machine)
  }
  return {
    changed: ifMine(() => tell('changed')),
    guestReset: ifMine(machine => {
      tell('guest-reset')
      // QEMU may not be told yet that this is the end.
      if (actionOn('reboot', exits()) === 'halt') afterwards(() => machine.end())
    }),
    held: exit =>
      ifMine(machine => {
        tell(EXIT_EVENTS[exit])
        afterwards(() => keeper.settle(machine, exit))
      })(),
    reached: ifMine(machine => afterwards(() => takeOver(machine))),
    ended: exit =>
      ifMine(() => {
        keeper.stop()
        ended()
        if (exit !== undefined) tell(EXIT_EVENTS[exit])
        tell('changed')
      })(),
    warn,
  }
}
