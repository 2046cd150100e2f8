import { readFile, rm } from 'node:fs/promises'
import { integerMember, toJsonObject } from '../../protocols/qmp/json.ts'
import type { DomainConfig } from '../driver.ts'
import { systemCode, writeAtomically } from './files.ts'

/** How far a guest has set its real-time clock from the host's, in seconds; kept in a file of its folder. */
interface Offsets {
  /** What the guest's next start begins with. */
  readonly next: number
  /** What the guest that runs was started with; QEMU counts from there. */
  readonly current: number
}

const NONE: Offsets = { next: 0, current: 0 }

/** The real-time clock of one domain. Of a change while no server runs nothing is known. */
export class GuestClock {
  readonly #path: string
  #last: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
  }

  /** What QEMU is told at a start: the moment its clock starts at, or whose time it is. Source: qemu-system(1), -rtc. */
  async base({ platform = {} }: DomainConfig, now = new Date()): Promise<string> {
    const isLocal = platform.localTime === true
    const { next } = platform.keepClockOffset === true ? await this.#read() : NONE
    if (next === 0) await rm(this.#path, { force: true })
    else await this.#write({ next, current: next })
    if (next === 0) return isLocal ? 'localtime' : 'utc'
    const moment = new Date(now.getTime() + next * 1000)
    return isLocal ? localText(moment) : utcText(moment)
  }

  /** The guest has set its clock; `seconds` as QEMU counts them. Source: QEMU qapi/misc-target.json, RTC_CHANGE. */
  changed(seconds: number): Promise<void> {
    const work = this.#last.then(async () => {
      const { current } = await this.#read()
      await this.#write({ next: current + seconds, current })
    })
    // The next change waits for this one, whatever becomes of it.
    this.#last = work.catch(() => undefined)
    return work
  }

  async #read(): Promise<Offsets> {
    try {
      const object = toJsonObject(JSON.parse(await readFile(this.#path, 'utf8')), 'the clock')
      return { next: integerMember(object, 'next'), current: integerMember(object, 'current') }
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error
      return NONE
    }
  }

  #write(offsets: Offsets): Promise<void> {
    return writeAtomically(this.#path, `${JSON.stringify(offsets)}\n`)
  }
}

const utcText = (moment: Date): string => moment.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)

/** The same moment by the host's own time; QEMU takes neither zone nor summer time. */
const localText = (moment: Date): string => utcText(new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000))
