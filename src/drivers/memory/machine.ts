import type { DomainConfig } from '../driver.ts'
import { Balloon } from './balloon.ts'
import type { Clock } from './clock.ts'
import type { Behaviour, Ending } from './fixtures.ts'
import { Guest } from './guest.ts'
import type { SerialPort } from './serial-port.ts'
import { Usage } from './usage.ts'

/** What a domain is from its start until it is halted: what it was started with, and what has become of that. */
export class Machine {
  readonly guest: Guest
  readonly balloon: Balloon
  readonly usage: Usage
  #config: DomainConfig

  constructor(
    config: DomainConfig,
    behaviour: Behaviour,
    clock: Clock,
    serial: SerialPort,
    onEnd: (ending: Ending) => void,
  ) {
    const { memoryBytes, memoryTargetBytes = memoryBytes } = config
    this.#config = config
    this.guest = new Guest(behaviour, clock, config.platform?.serial === 'none' ? null : serial, onEnd)
    this.balloon = new Balloon(memoryBytes, memoryTargetBytes, behaviour.isYielding)
    this.usage = new Usage(config)
  }

  get config(): DomainConfig {
    return this.#config
  }

  /** Goes on by another definition, such as one with a disk more. */
  change(config: DomainConfig): void {
    const { lifeMs } = this.guest
    this.usage.follow(config, lifeMs)
    if (config.memoryTargetBytes !== this.#config.memoryTargetBytes) {
      this.balloon.aim(config.memoryTargetBytes ?? config.memoryBytes, lifeMs)
    }
    this.#config = config
  }

  reset(): void {
    this.guest.reset()
    this.balloon.boot(this.guest.lifeMs)
  }
}
