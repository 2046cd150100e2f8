import type { NicConfig } from '../driver.ts'
import { hasLink } from '../link.ts'
import { isLost, LOST_MAX } from './again.ts'
import { idOfDevice } from './device-ids.ts'
import type { Adapter, NetworkBackEnd, NewAdapter, Plug } from './network-back-end.ts'
import type { Networks } from './networks.ts'
import { takeBack, type Undo } from './undo.ts'

/** An adapter as it is to be, and where its cable is to lead. */
interface Wanted extends NewAdapter {
  readonly plug: Plug | undefined
  /** Of one that is there already, as far as the host has not made it anew. */
  readonly id?: string
}

/** What the label of an adapter ends with that is an interface of ours. */
const OURS = / ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** Of an adapter that is to get one at the start of its machine. */
const NO_MAC = '000000000000'

/** The id that an adapter is an interface under: what it is labelled with, or made of what a host calls one of others. */
export const idOfAdapter = ({ id, label }: Pick<Adapter, 'id' | 'label'>): string =>
  OURS.exec(label)?.[1] ?? idOfDevice(id)

/** The device that an adapter is labelled with; undefined of one of others. */
export const deviceOfAdapter = ({ label }: Pick<Adapter, 'label'>): string | undefined =>
  OURS.test(label) ? label.replace(OURS, '') : undefined

/** The adapter that is an interface of a definition. */
export function adapterOf({ id }: Pick<NicConfig, 'id'>, adapters: readonly Adapter[]): Adapter | undefined {
  return adapters.find(adapter => idOfAdapter(adapter) === id)
}

/** The network adapters of machines that are off. */
export class Adapters {
  readonly #backEnd: NetworkBackEnd
  readonly #networks: Networks

  constructor(backEnd: NetworkBackEnd, networks: Networks) {
    this.#backEnd = backEnd
    this.#networks = networks
  }

  /**
   * Gives a machine these interfaces in place of those of ours that it has; what somebody else has added stays, but for what
   * `isToGo` tells. Rejects as `refused` where a network is missing, or where the host refuses one; then it has those it
   * had. Gives what takes it back.
   */
  async fit(
    guid: string,
    present: readonly Adapter[],
    nics: readonly NicConfig[],
    isToGo: (id: string) => boolean = () => false,
  ): Promise<Undo> {
    const ids = nics.map(({ network }) => network)
    const known = this.#networks.plugsKnown(ids)
    if (typeof known !== 'string') {
      const isTagged = [...known.values()].some(({ vlan }) => vlan !== null)
      const now = isTagged ? await this.#backEnd.tagged(guid, present) : present
      // What is as it was when networks were looked at last is as it should be: a cable into one that is no more leads nowhere.
      if (isFit(planOf(now, nics, known, isToGo))) return async () => {}
    }
    const { before, wanted, isOurs } = planOf(present, nics, await this.#networks.plugs(ids), isToGo)
    return this.#alter(guid, before, wanted, isOurs)
  }

  /** Puts an interface into a machine that runs; gives what takes it back. */
  async plug(guid: string, nic: NicConfig): Promise<Undo> {
    const plugs = await this.#networks.plugs([nic.network])
    const wanted = wantedOf(nic, plugOf(nic, plugs))
    const isThere = ({ label }: Adapter) => label === wanted.label
    return this.#alter(guid, [], [wanted], isThere)
  }

  /** Takes one out of a machine that runs; gives what takes it back. */
  async pull(guid: string, adapter: Adapter): Promise<Undo> {
    return this.#alter(guid, [adapter], [], ({ id, label }) => id === adapter.id || label === adapter.label)
  }

  /** Leads the cable of one where the interface is to have it, or takes it out; gives what takes it back. */
  async lead(guid: string, adapter: Adapter, nic: NicConfig): Promise<Undo> {
    const plugs = await this.#networks.plugs([nic.network])
    const wanted = { ...asWanted(adapter), plug: plugOf(nic, plugs) }
    return this.#alter(guid, [adapter], [wanted], ({ id }) => id === adapter.id)
  }

  async #alter(
    guid: string,
    before: readonly Adapter[],
    wanted: readonly Wanted[],
    isOurs: (adapter: Adapter) => boolean,
  ): Promise<Undo> {
    const now = async () => (await this.#backEnd.adapters(guid)).filter(isOurs)
    const tagged = await this.#backEnd.tagged(guid, before)
    const undo = async () => this.#change(guid, await now(), tagged.map(asWanted))
    try {
      await this.#reach(guid, tagged, wanted, now)
    } catch (error) {
      await takeBack(undo, error, 'its network adapters remain changed')
      throw error
    }
    return undo
  }

  /** Where an answer is lost, what the machine has tells what is left to do. */
  async #reach(
    guid: string,
    before: readonly Adapter[],
    wanted: readonly Wanted[],
    now: () => Promise<readonly Adapter[]>,
  ): Promise<void> {
    let present = before
    for (let left = LOST_MAX; ; left--) {
      try {
        return await this.#change(guid, present, wanted)
      } catch (error) {
        if (left === 0 || !isLost(error)) throw error
        present = await now()
      }
    }
  }

  async #change(guid: string, now: readonly Adapter[], wanted: readonly Wanted[]): Promise<void> {
    const matches = matchesOf(now, wanted)
    const kept = new Set(matches.values())
    for (const adapter of now) {
      if (!kept.has(adapter)) await this.#backEnd.removeAdapter(adapter)
    }
    for (const one of wanted) {
      const present = matches.get(one)
      await this.#lead(guid, present, present ?? (await this.#backEnd.addAdapter(guid, one)), one.plug)
    }
  }

  async #lead(guid: string, present: Adapter | undefined, name: Pick<Adapter, 'id' | 'kind'>, plug: Plug | undefined) {
    const cable = present?.cable
    if (isLed(cable, plug)) return
    if (cable !== undefined) await this.#backEnd.unplug(cable.id)
    if (plug !== undefined) await this.#backEnd.plug(guid, name, plug)
  }
}

/** Where the cable of an interface ends: one without a carrier is out. */
const plugOf = (nic: NicConfig, plugs: ReadonlyMap<string, Plug>): Plug | undefined =>
  nic.network !== null && hasLink(nic) ? plugs.get(nic.network) : undefined

function wantedOf({ id, device, mac, model }: NicConfig, plug: Plug | undefined): Wanted {
  return { label: `${device} ${id}`, mac: mac.replaceAll(':', '').toUpperCase(), kind: model, plug }
}

function asWanted({ id, label, mac, kind, cable }: Adapter): Wanted {
  const { switchGuid, vlan } = cable ?? {}
  return { id, label, mac, kind, plug: switchGuid === undefined ? undefined : { switchGuid, vlan: vlan ?? null } }
}

/** Whether a cable leads where it is to. */
const isLed = (cable: Adapter['cable'], plug: Plug | undefined): boolean =>
  cable?.switchGuid === plug?.switchGuid && (cable?.vlan ?? null) === (plug?.vlan ?? null)

/** What a machine has of adapters that a definition decides about, and what it is to have. */
interface Plan {
  readonly before: readonly Adapter[]
  readonly wanted: readonly Wanted[]
  readonly isOurs: (adapter: Adapter) => boolean
}

function planOf(
  present: readonly Adapter[],
  nics: readonly NicConfig[],
  plugs: ReadonlyMap<string, Plug>,
  isToGo: (id: string) => boolean,
): Plan {
  const wanted = nics.map(nic => wantedAmong(nic, present, plugOf(nic, plugs)))
  const theirs = new Set([
    ...nics.flatMap(nic => adapterOf(nic, present)?.id ?? []),
    ...present.flatMap(({ id }) => (isToGo(idOfDevice(id)) ? [id] : [])),
  ])
  const isOurs = ({ id, label }: Adapter) => OURS.test(label) || theirs.has(id)
  return { before: present.filter(isOurs), wanted, isOurs }
}

/** Whether there is nothing to do. */
function isFit({ before, wanted }: Plan): boolean {
  const matches = matchesOf(before, wanted)
  if (matches.size !== before.length || matches.size !== wanted.length) return false
  return wanted.every(one => isLed(matches.get(one)?.cable, one.plug))
}

/** An adapter of somebody else that is as an interface of a definition says keeps the label that it has. */
function wantedAmong(nic: NicConfig, present: readonly Adapter[], plug: Plug | undefined): Wanted {
  const wanted = wantedOf(nic, plug)
  const adapter = adapterOf(nic, present)
  if (adapter === undefined || OURS.test(adapter.label)) return wanted
  const { id, label } = adapter
  return isSame({ ...wanted, label }, adapter) ? { ...wanted, id, label } : wanted
}

/** Which adapters are as they are wanted already; several of others may have one label. */
function matchesOf(now: readonly Adapter[], wanted: readonly Wanted[]): ReadonlyMap<Wanted, Adapter> {
  const left = new Set(now)
  const matches = new Map<Wanted, Adapter>()
  for (const isById of [true, false]) {
    for (const one of wanted) {
      if (matches.has(one)) continue
      const match = [...left].find(adapter => isSame(one, adapter) && (!isById || adapter.id === one.id))
      if (match === undefined) continue
      left.delete(match)
      matches.set(one, match)
    }
  }
  return matches
}

const isSame = (one: NewAdapter, other: Adapter): boolean =>
  one.label === other.label && one.kind === other.kind && (one.mac === other.mac || one.mac === NO_MAC)
