import { type Domain, type DomainId, DriverError } from '../driver.ts'
import type { BackEnd, Machine } from './back-end.ts'
import { type Note, readNote } from './note.ts'

/** A domain as the host has it. */
export interface Entry {
  readonly id: DomainId
  readonly machine: Machine
  /** Undefined of a machine that somebody else made. */
  readonly note: Note | undefined
}

/** What a machine was at a moment of `performance.now()`. */
export interface Seen extends Pick<Machine, 'guid' | 'name' | 'state'> {
  readonly atMs: number
}

/** What a machine is called whose host takes its notes after it has made it, until it has its name. */
const BEGUN = /^polyvisor-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
export const nameToBegin = (): string => `polyvisor-${crypto.randomUUID()}`

/** What the domain is called: one whose making was broken off, as it is to be. */
export function nameOf({ machine: { name }, note }: Entry): string {
  return note?.isPending === true && BEGUN.test(name) ? (note.config?.name ?? name) : name
}

/** What the contract tells of a domain. */
export const domainOf = (entry: Entry): Domain => ({
  id: entry.id,
  name: nameOf(entry),
  state: entry.machine.state,
})

/** Finds domains on the host by the ids that clients know. */
export class Directory {
  readonly #backEnd: BackEnd
  /** Where a domain was found last, and how. It is looked at again each time. */
  readonly #last = new Map<DomainId, Seen>()

  constructor(backEnd: BackEnd) {
    this.#backEnd = backEnd
  }

  async list(): Promise<readonly Entry[]> {
    const entries = (await this.#backEnd.machines()).map(entryOf)
    this.#last.clear()
    for (const entry of entries) this.remember(entry)
    return entries
  }

  /** Undefined where the host has no such domain. */
  async find(id: DomainId): Promise<Entry | undefined> {
    const guid = this.#last.get(id)?.guid
    const known = guid === undefined ? undefined : await this.at(guid)
    if (known?.id === id) return known
    return (await this.list()).find(entry => entry.id === id)
  }

  /** Rejects as `not-found` where the host has no such domain. */
  async get(id: DomainId): Promise<Entry> {
    const entry = await this.find(id)
    if (entry === undefined) throw new DriverError('not-found', `the host has no domain ${id}`)
    return entry
  }

  /** The domain whose machine has this GUID. */
  async at(guid: string): Promise<Entry | undefined> {
    const machine = await this.#backEnd.machine(guid)
    if (machine === undefined) return undefined
    const entry = entryOf(machine)
    this.remember(entry)
    return entry
  }

  /** How a domain was when it was looked at last; undefined where it never was. */
  seen(id: DomainId): Seen | undefined {
    return this.#last.get(id)
  }

  /** Where a domain is that was just made. */
  remember({ id, machine }: Entry): void {
    const { guid, name, state } = machine
    this.#last.set(id, { guid, name, state, atMs: performance.now() })
  }

  forget(id: DomainId): void {
    this.#last.delete(id)
  }
}

/** The domain that a machine is. */
export function entryOf(machine: Machine): Entry {
  const note = readNote(machine.guid, machine.notes)
  return { id: note?.id ?? machine.guid.toLowerCase(), machine, note }
}
