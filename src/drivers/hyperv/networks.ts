import { setTimeout as pause } from 'node:timers/promises'
import { DriverError, type NetworkConfig, type NetworkOps, type NetworkTitle } from '../driver.ts'
import { isLost, untilDone } from './again.ts'
import type { BackEnd } from './back-end.ts'
import type { Gate } from './gate.ts'
import type { Locks } from './locks.ts'
import type { NetworkBackEnd, NewSwitch, Plug, Switch } from './network-back-end.ts'
import { networkOf, writeNetworkNote } from './network-note.ts'
import { takeBack, type Undo } from './undo.ts'

const VLAN_MAX = 4_094
/** How long a switch is waited for whose making nobody confirmed. */
const MAKING_MS_MAX = 3_000
const MAKING_PAUSE_MS = 250

/** A network, and the switch that it is on the host. */
interface Found {
  readonly network: NetworkConfig
  readonly guid: string
}

const titleOf = (one: Omit<Switch, 'uplink'>): NetworkTitle => {
  const { id, name } = networkOf({ ...one, uplink: '' })
  return { id, name }
}

/** The networks of a host: a switch for each. */
export class Networks {
  readonly #backEnd: BackEnd & NetworkBackEnd
  readonly #locks: Locks
  /** The networks of the host when they were looked at last, by the GUIDs of their switches. */
  #known: ReadonlyMap<string, Pick<NetworkConfig, 'id' | 'vlan'>> = new Map()

  constructor(backEnd: BackEnd & NetworkBackEnd, locks: Locks) {
    this.#backEnd = backEnd
    this.#locks = locks
  }

  ops(gate: Gate): NetworkOps {
    return {
      list: () => gate.pass(async () => (await this.#all()).map(({ network }) => network)),
      titles: () => gate.pass(async () => (await this.#backEnd.switchTitles()).map(titleOf)),
      define: network => gate.pass(() => this.#locks.run(network.id, () => this.#define(network))),
      undefine: id => gate.pass(() => this.#locks.run(id, () => this.#undefine(id))),
    }
  }

  /** Where the cables of these networks lead. Rejects as `refused` where the host has not all of them. */
  async plugs(ids: readonly (string | null)[]): Promise<ReadonlyMap<string, Plug>> {
    const wanted = ids.filter(id => id !== null)
    if (wanted.length > 0) await this.#look()
    const plugs = this.plugsKnown(wanted)
    if (typeof plugs !== 'string') return plugs
    throw new DriverError('refused', `the host has no network ${plugs}`)
  }

  /** The same as far as it is known from before, and may be true no more; the id of one that is not known instead. */
  plugsKnown(ids: readonly (string | null)[]): ReadonlyMap<string, Plug> | string {
    const places = new Map([...this.#known].map(([switchGuid, { id, vlan }]) => [id, { switchGuid, vlan }]))
    const plugs = new Map<string, Plug>()
    for (const id of ids) {
      if (id === null) continue
      const plug = places.get(id)
      if (plug === undefined) return id
      plugs.set(id, plug)
    }
    return plugs
  }

  /** The networks that these switches are; looked up where one of them is new. */
  async idsOf(guids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (guids.some(guid => !this.#known.has(guid))) await this.#look()
    return new Map([...this.#known].map(([guid, { id }]) => [guid, id]))
  }

  async has(id: string): Promise<boolean> {
    await this.#look()
    return [...this.#known.values()].some(known => known.id === id)
  }

  async #look(): Promise<void> {
    const titles = await this.#backEnd.switchTitles()
    this.#known = new Map(titles.map(one => [one.guid, networkOf({ ...one, uplink: '' })]))
  }

  async #all(): Promise<readonly Found[]> {
    const found = (await this.#backEnd.switches()).map(one => ({ network: networkOf(one), guid: one.guid }))
    this.#known = new Map(found.map(({ guid, network }) => [guid, network]))
    return found
  }

  async #define(network: NetworkConfig): Promise<void> {
    const { vlan, nic, name } = network
    if (vlan !== null && !(Number.isInteger(vlan) && vlan >= 1 && vlan <= VLAN_MAX)) {
      throw new DriverError('refused', `${vlan} is no tag of 802.1Q`)
    }
    if (nic !== '' && !(await this.#backEnd.cards()).includes(nic)) {
      throw new DriverError('refused', `the host has no network card ${nic}`)
    }
    const before = (await this.#all()).find(found => found.network.id === network.id)
    this.#assertHost(network, before?.network)
    if (before === undefined) {
      const { id, hasHost = false } = network
      return this.#make({ id, name, notes: writeNetworkNote(network), uplink: nic, hasHost })
    }
    if (name !== before.network.name && !this.#backEnd.renamesSwitches) {
      throw new DriverError('refused', `the host renames no switch: ${before.network.name} cannot become ${name}`)
    }
    await this.#replace(before, network)
  }

  /** Where the answer is lost, the host has the network or not. */
  async #make(made: NewSwitch): Promise<void> {
    try {
      await this.#backEnd.makeSwitch(made)
    } catch (error) {
      if (!isLost(error)) throw error
      let isThere = false
      const look = async () => {
        isThere = await this.#appears(made.id)
      }
      await takeBack(look, error, `the network ${made.name} may be on the host`)
      if (!isThere) throw error
    }
  }

  /** Whether there is a network, or will be before long: switches are made by jobs. */
  async #appears(id: string): Promise<boolean> {
    for (const end = performance.now() + MAKING_MS_MAX; ; await pause(MAKING_PAUSE_MS)) {
      if (await this.has(id)) return true
      if (performance.now() > end) return false
    }
  }

  /** A port of the host is there from the beginning, or never. */
  #assertHost({ name, hasHost }: NetworkConfig, before: NetworkConfig | undefined): void {
    if (before === undefined) {
      if (hasHost !== true || this.#backEnd.plugsHost) return
      throw new DriverError(
        'refused',
        `the host is plugged into no switch here; ${name} can be made on the host itself`,
      )
    }
    if (hasHost === undefined || hasHost === (before.hasHost ?? false)) return
    const is = hasHost ? 'is not plugged into it' : 'is plugged into it'
    throw new DriverError('refused', `the host ${is}, and a switch is left as it is: ${name}`)
  }

  /** What fails is taken back: card and tags first, which hosts refuse most, the name and the note last. */
  async #replace({ network: before, guid }: Found, network: NetworkConfig): Promise<void> {
    const undo: Undo[] = []
    try {
      if (before.nic !== network.nic) {
        undo.push(() => this.#backEnd.bindSwitch(guid, before.nic))
        await this.#backEnd.bindSwitch(guid, network.nic)
      }
      if (before.vlan !== network.vlan) {
        undo.push(() => this.#tag(guid, before.vlan))
        await this.#tag(guid, network.vlan)
      }
      const texts = { name: network.name, notes: writeNetworkNote(network) }
      const isChanged = async () => {
        const now = (await this.#backEnd.switchTitles()).find(one => one.guid === guid)
        return now?.name === texts.name && now.notes === texts.notes
      }
      await untilDone(() => this.#backEnd.changeSwitch(guid, texts), isChanged)
    } catch (error) {
      for (const step of undo.toReversed()) await takeBack(step, error, `the network ${before.name} remains changed`)
      throw error
    }
  }

  async #tag(guid: string, vlan: number | null): Promise<void> {
    for (const cable of await this.#backEnd.cables()) {
      if (cable.switchGuid === guid) await this.#backEnd.tag(cable.id, vlan)
    }
  }

  async #undefine(id: string): Promise<void> {
    const found = (await this.#all()).find(({ network }) => network.id === id)
    if (found === undefined) throw new DriverError('not-found', `the host has no network ${id}`)
    const [cables, machines] = await Promise.all([this.#backEnd.cables(), this.#backEnd.machines()])
    const plugged = new Set(cables.filter(cable => cable.switchGuid === found.guid).map(cable => cable.machineGuid))
    const user = machines.find(({ guid, state }) => plugged.has(guid) && state !== 'halted')
    if (user !== undefined) {
      throw new DriverError('bad-state', `${user.name}, which is ${user.state}, is plugged into ${found.network.name}`)
    }
    const isGone = async () => (await this.#backEnd.switchTitles()).every(({ guid }) => guid !== found.guid)
    await untilDone(() => this.#backEnd.destroySwitch(found.guid), isGone)
  }
}
