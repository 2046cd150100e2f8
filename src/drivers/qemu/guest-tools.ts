import { QgaError } from '../../protocols/qga/error.ts'
import { readGuestFacts } from '../../protocols/qga/guest.ts'
import { DriverError } from '../driver.ts'
import type { GuestAgent } from './guest-agent.ts'

type Versions = Readonly<Record<string, string>>

/** How long what the agent said is repeated before it is asked again: versions change when a guest boots. */
const ANSWER_AGE_MS_MAX = 60_000
/** After how long it is asked again when it did not answer: it may be starting. */
const SILENCE_AGE_MS_MAX = 4_000
/** How long the agent may take in all. */
const AGENT_MS = 3_000
/** How long others wait for it; after that they are given what is known, and the answer counts for the next. */
const WAIT_MS = 100

const NONE: Versions = Object.freeze({})

/** What a guest says it runs for the host's sake. Asked now and then, and never waited for long. */
export class GuestTools {
  readonly #agent: GuestAgent
  #versions = NONE
  #staleAtMs = 0
  #asking: Promise<void> | undefined

  constructor(agent: GuestAgent) {
    this.#agent = agent
  }

  /** As last said, by name; empty where nobody answers. With `ask`, it is asked again where that is long ago. */
  async versions({ ask: mayAsk }: { readonly ask: boolean }): Promise<Versions> {
    if (mayAsk && performance.now() >= this.#staleAtMs) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined
      })
      const timer = Promise.withResolvers<void>()
      const timeout = setTimeout(timer.resolve, WAIT_MS)
      await Promise.race([this.#asking, timer.promise])
      clearTimeout(timeout)
    }
    return this.#versions
  }

  /** For a guest that has ended, or begun anew. */
  forget(): void {
    this.#versions = NONE
    this.#staleAtMs = 0
  }

  async #ask(): Promise<void> {
    try {
      const { agentVersion, osName, kernelRelease } = await this.#agent.inTurn(() =>
        readGuestFacts(this.#agent.path, AGENT_MS),
      )
      this.#versions = {
        'qemu-guest-agent': agentVersion,
        ...(osName !== undefined && { os: osName }),
        ...(kernelRelease !== undefined && { kernel: kernelRelease }),
      }
      this.#staleAtMs = performance.now() + ANSWER_AGE_MS_MAX
    } catch (error) {
      // Most guests run no agent, and one that others speak with says nothing either; that is an answer as well.
      if (!(error instanceof QgaError || error instanceof DriverError)) throw error
      this.#versions = NONE
      this.#staleAtMs = performance.now() + SILENCE_AGE_MS_MAX
    }
  }
}
