import type { NicConfig } from '../driver.ts'
import type { Adapter, NetworkBackEnd, NewAdapter, Plug } from './network-back-end.ts'
import type { Networks } from './networks.ts'
import { takeBack, type Undo } from './undo.ts'

/** An adapter as it is to be, and where its cable is to lead. */
interface Wanted extends NewAdapter {
  readonly plug: Plug | undefined
}

/** What the label of an adapter ends with that is an interface of ours. */
const OURS = / ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

/** The network adapters of machines that are off. */
export class Adapters {
  readonly #backEnd: NetworkBackEnd
  readonly #networks: Networks

  constructor(backEnd: NetworkBackEnd, networks: Networks) {
    this.#backEnd = backEnd
    this.#networks = networks
  }

  /**
   * Gives a machine these interfaces in place of those of ours that it has; what somebody else has added stays. Rejects as
   * `refused` where a network is missing, or where the host refuses one; then it has those it had.
   * Gives what takes it back.
   */
  async fit(guid: string, present: readonly Adapter[], nics: readonly NicConfig[]): Promise<Undo> {
    const plugs = await this.#networks.plugs(nics.map(({ network }) => network))
    const before = present.filter(({ label }) => OURS.test(label))
    const wanted = nics.map(nic => wantedOf(nic, nic.network === null ? undefined : plugs.get(nic.network)))
    const undo = () => this.#make(guid, before.map(asWanted))
    try {
      await this.#change(guid, before, wanted)
    } catch (error) {
      await takeBack(undo, error, 'its network adapters remain changed')
      throw error
    }
    return undo
  }

  async #make(guid: string, wanted: readonly Wanted[]): Promise<void> {
    const now = (await this.#backEnd.adapters(guid)).filter(({ label }) => OURS.test(label))
    await this.#change(guid, now, wanted)
  }

  async #change(guid: string, now: readonly Adapter[], wanted: readonly Wanted[]): Promise<void> {
    for (const adapter of now) {
      if (!wanted.some(one => isSame(one, adapter))) await this.#backEnd.removeAdapter(adapter)
    }
    for (const one of wanted) {
      const present = now.find(adapter => isSame(one, adapter))
      await this.#lead(guid, present, present ?? (await this.#backEnd.addAdapter(guid, one)), one.plug)
    }
  }

  async #lead(guid: string, present: Adapter | undefined, name: Pick<Adapter, 'id' | 'kind'>, plug: Plug | undefined) {
    const cable = present?.cable
    if (cable?.switchGuid === plug?.switchGuid && (cable?.vlan ?? null) === (plug?.vlan ?? null)) return
    if (cable !== undefined) await this.#backEnd.unplug(cable.id)
    if (plug !== undefined) await this.#backEnd.plug(guid, name, plug)
  }
}

function wantedOf({ id, device, mac, model }: NicConfig, plug: Plug | undefined): Wanted {
  return { label: `${device} ${id}`, mac: mac.replaceAll(':', '').toUpperCase(), kind: model, plug }
}

function asWanted({ label, mac, kind, cable }: Adapter): Wanted {
  const { switchGuid, vlan = null } = cable ?? {}
  return { label, mac, kind, plug: switchGuid === undefined ? undefined : { switchGuid, vlan } }
}

const isSame = (one: NewAdapter, other: NewAdapter): boolean =>
  one.label === other.label && one.mac === other.mac && one.kind === other.kind
