import type { DomainConfig } from '../driver.ts'
import { Balloon } from './balloon.ts'
import type { Clock } from './clock.ts'
import type { Behaviour, Ending } from './fixtures.ts'
import { Guest } from './guest.ts'
import { GuestTelling } from './guest-memory.ts'
import type { SerialPort } from './serial-port.ts'
import { Usage } from './usage.ts'

/** What a domain is from its start until it is halted: what it was started with, and what has become of that. */
export class Machine {
  readonly guest: Guest
  readonly balloon: Balloon
  readonly usage: Usage
  readonly telling: GuestTelling
  #config: DomainConfig
  /** By disk, how much of what the guest has written has reached the images. */
  readonly #arrivedBytes = new Map<string, number>()

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
    this.telling = new GuestTelling(clock)
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

  /** What the guest has written to which image since this was last asked. */
  takeWrites(): { readonly location: string; readonly bytes: number }[] {
    const written = new Map(this.usage.disks(this.guest.lifeMs).map(disk => [disk.id, disk.writtenBytes]))
    return this.#config.disks.flatMap(({ id, location }) => {
      const [sum, before] = [written.get(id) ?? 0, this.#arrivedBytes.get(id) ?? 0]
      this.#arrivedBytes.set(id, sum)
      // A disk that was plugged in again counts from nothing; and a medium may be out before its last byte is counted.
      return sum > before && location !== '' ? { location, bytes: sum - before } : []
    })
  }

  /** Makes it one whose guest has run for this long, and whose writes have all arrived. */
  age(uptimeMs: number): void {
    this.guest.age(uptimeMs)
    this.takeWrites()
  }

  reset(): void {
    this.guest.reset()
    this.balloon.boot(this.guest.lifeMs)
  }
}
