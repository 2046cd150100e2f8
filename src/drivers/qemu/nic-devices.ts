import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectOptions, type DeviceOps, type DomainConfig, type DomainId, DriverError } from '../driver.ts'
import type { NicConfig } from '../driver.ts'
import { hasLink, withLink } from '../link.ts'
import { assertDefinable } from './definition.ts'
import type { LivingDomain } from './domain.ts'
import type { Gate } from './gate.ts'
import type { Inventory } from './inventory.ts'
import { type DomainFiles, filesOf } from './layout.ts'
import { changeBoth, changeDefinition, pullOut } from './living-change.ts'
import type { Networks } from './networks/networks.ts'
import { cableName, cableOf, cableProperties, nicProperties } from './nics.ts'
import { nicName, type Slots, withSlot } from './slots.ts'
import { unplug } from './unplug.ts'

/** What the group `devices` works with, beside the domains and networks. */
export interface DeviceTools {
  /** As `rootOf` gives it. */
  readonly root: string
  readonly gate: Gate
  /** Told what no call can report. */
  readonly warn: ConnectOptions['warn']
}

type NicDevices = Pick<DeviceOps, 'attachNic' | 'detachNic' | 'connectNic' | 'setLink'>

/** What the operations on interfaces work with, beside the living domain. */
interface Cabling {
  readonly id: DomainId
  readonly files: DomainFiles
  readonly networks: Networks
}

/** How long a cable is out when it is moved; a guest that looks up later than this would not notice. */
const CARRIER_LOST_MS = 500

/** The part of the group `devices` that is about network interfaces. `warn` is told what no call can report. */
export const nicDevices = (inventory: Inventory, networks: Networks, { root, gate, warn }: DeviceTools): NicDevices => {
  const change = (id: DomainId, operation: (living: LivingDomain, cabling: Cabling) => Promise<void>): Promise<void> =>
    gate.pass(() => inventory.find(id).change(living => operation(living, { id, files: filesOf(root, id), networks })))
  /** A guest that lets go of an interface after it was told that it keeps it gets it back. */
  const giveBack = (id: DomainId, nic: string) => () => {
    change(id, living => replug(living, nic)).catch((error: unknown) => {
      if (!gate.isClosed) {
        warn(`interface ${nic} of domain ${id} left late and cannot be plugged in again: ${String(error)}`)
      }
    })
  }
  return {
    attachNic: (id, nic) => change(id, (living, cabling) => attach(living, cabling, nic)),
    detachNic: (id, nic) => change(id, (living, cabling) => detach(living, cabling, nic, giveBack(id, nic))),
    connectNic: (id, nic, network) => change(id, (living, cabling) => connect(living, cabling, nic, network)),
    setLink: (id, nic, isUp) => change(id, living => changeLink(living, nic, isUp)),
  }
}

async function attach(living: LivingDomain, { id, files, networks }: Cabling, nic: NicConfig): Promise<void> {
  const { machine, definition } = living
  const config = { ...definition.config, nics: [...(definition.config.nics ?? []), structuredClone(nic)] }
  assertDefinable(config)
  const slots = withSlot(definition.slots, nicName(nic.id))
  const cable = cableOf(files, nic, slots)
  await changeDefinition(living, { ...definition, config, slots }, async () => {
    await machine.execute('netdev_add', cableProperties(cable))
    try {
      await networks.plug(id, [cable])
      await plug(machine, nic, slots)
    } catch (error) {
      networks.pull(id, nic.id)
      await machine.execute('netdev_del', { id: cableName(nic.id) })
      throw error
    }
  })
}

async function plug(machine: LivingDomain['machine'], nic: NicConfig, slots: Slots): Promise<void> {
  await machine.execute('device_add', nicProperties(nic, slots))
  if (!hasLink(nic)) await setLink(machine, nic.id, false)
}

const setLink = (machine: LivingDomain['machine'], nic: string, up: boolean): Promise<void> =>
  machine.execute('set_link', { name: nicName(nic), up })

async function detach(living: LivingDomain, cabling: Cabling, nicId: string, onLate: () => void): Promise<void> {
  const { machine } = living
  findNic(living.living.config, nicId)
  await pullOut(
    living,
    nicName(nicId),
    config => withoutNic(config, nicId),
    () => unplug(machine, nicName(nicId), onLate),
  )
  cabling.networks.pull(cabling.id, nicId)
  await machine.execute('netdev_del', { id: cableName(nicId) })
}

const withoutNic = (config: DomainConfig, nicId: string): DomainConfig =>
  config.nics === undefined ? config : { ...config, nics: config.nics.filter(({ id }) => id !== nicId) }

/** Plugs an interface in again at the cable that it had, unless it was detached meanwhile. */
async function replug({ machine, living }: LivingDomain, nicId: string): Promise<void> {
  const nic = living.config.nics?.find(({ id }) => id === nicId)
  if (nic !== undefined) await plug(machine, nic, living.slots)
}

async function connect(
  domain: LivingDomain,
  { id, files, networks }: Cabling,
  nicId: string,
  network: string | null,
): Promise<void> {
  const { machine, living } = domain
  const before = findNic(living.config, nicId)
  const after = { ...before, network }
  const move = async (nic: NicConfig) => {
    await networks.plug(id, [cableOf(files, nic, living.slots)])
    if (hasLink(nic)) await setLink(machine, nicId, true)
  }
  const act = async () => {
    if (before.network === network) return
    networks.assertKnown(network)
    await setLink(machine, nicId, false)
    await sleep(CARRIER_LOST_MS)
    try {
      await move(after)
    } catch (error) {
      await move(before)
      throw error
    }
  }
  await changeBoth(
    domain,
    withNic(nicId, nic => ({ ...nic, network })),
    act,
  )
}

/** A cable that is plugged nowhere carries nothing, whatever is asked for. */
async function changeLink(domain: LivingDomain, nicId: string, isUp: boolean): Promise<void> {
  const after = withLink(findNic(domain.living.config, nicId), isUp)
  const act = () => setLink(domain.machine, nicId, hasLink(after))
  await changeBoth(
    domain,
    withNic(nicId, nic => withLink(nic, isUp)),
    act,
  )
}

const withNic = (nicId: string, change: (nic: NicConfig) => NicConfig) => (config: DomainConfig) => ({
  ...config,
  nics: (config.nics ?? []).map(nic => (nic.id === nicId ? change(nic) : nic)),
})

function findNic({ id, nics = [] }: DomainConfig, nicId: string): NicConfig {
  const nic = nics.find(each => each.id === nicId)
  if (nic === undefined) throw new DriverError('not-found', `domain ${id} has no interface ${nicId}`)
  return nic
}
