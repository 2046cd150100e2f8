import { DriverError, type NetworkConfig } from '../../driver.ts'
import { findByPidFile, isAlive, type ProcessIdentity } from '../process.ts'
import { leftoversOf } from './bridge-plan.ts'
import { findDevice } from './host-devices.ts'
import { findUplink, planUplink, removeUplink, startUplink, type UplinkFiles, uplinkFiles } from './uplink.ts'

/** How often it is looked whether an uplink has died. */
const LOOK_EVERY_MS = 2_000

interface Uplink {
  readonly network: NetworkConfig
  readonly process: ProcessIdentity
}

/** The uplinks of the networks that are in use. */
export class Uplinks {
  readonly #program: string
  readonly #folder: string
  readonly #uplinks = new Map<string, Uplink>()
  readonly #timer: NodeJS.Timeout

  /** `program` is the emulator; `folder` is where the files are; `onDeath` is called, again and again, while one is dead. */
  constructor(program: string, folder: string, onDeath: () => void) {
    this.#program = program
    this.#folder = folder
    this.#timer = setInterval(() => {
      if ([...this.#uplinks.values()].some(({ process }) => !isAlive(process))) onDeath()
    }, LOOK_EVERY_MS)
    this.#timer.unref()
  }

  files(networkId: string): UplinkFiles {
    return uplinkFiles(this.#folder, networkId)
  }

  /** Rejects as `refused` where the host cannot have this network. */
  async check(network: NetworkConfig): Promise<void> {
    await planUplink(network, this.files(network.id))
  }

  /**
   * Makes this network's uplink run as it is defined now. Resolves with whether there is another than before. Rejects
   * with DriverError; then it has none.
   */
  async ensure(network: NetworkConfig): Promise<boolean> {
    const known = this.#uplinks.get(network.id)
    if (known !== undefined && isSame(known.network, network) && isAlive(known.process)) return false
    const plan = await planUplink(network, this.files(network.id))
    this.#uplinks.delete(network.id)
    const process = (await findUplink(this.#program, plan)) ?? (await startUplink(this.#program, plan))
    this.#uplinks.set(network.id, { network, process })
    return true
  }

  /** Those of these networks of which an earlier connection has left something. */
  leftovers(networkIds: readonly string[]): string[] {
    const processes = findByPidFile()
    return networkIds.filter(
      id => processes.has(this.files(id).pid) || leftoversOf(id).some(name => findDevice(name) !== undefined),
    )
  }

  /** Ends a network's uplink, also one that an earlier connection left. */
  async remove(networkId: string): Promise<void> {
    this.#uplinks.delete(networkId)
    await removeUplink(networkId, this.files(networkId))
  }

  /** The networks that have an uplink. */
  get networks(): readonly string[] {
    return [...this.#uplinks.keys()]
  }

  /** Lets go of the uplinks; they go on. */
  close(): void {
    clearInterval(this.#timer)
  }
}

const isSame = (a: NetworkConfig, b: NetworkConfig): boolean =>
  a.nic === b.nic && a.vlan === b.vlan && a.gateway === b.gateway && a.netmask === b.netmask

/** Throws as `refused` a network that no host could have. */
export function assertNetwork({ id, vlan }: NetworkConfig): void {
  const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  const VLAN_MAX = 4_094
  if (!UUID.test(id)) throw new DriverError('refused', `the id ${JSON.stringify(id)} is no UUID in lower case`)
  if (vlan !== null && !(Number.isInteger(vlan) && vlan >= 1 && vlan <= VLAN_MAX)) {
    throw new DriverError('refused', `${vlan} is no 802.1Q tag: those are 1 to ${VLAN_MAX}`)
  }
}
