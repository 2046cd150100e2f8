import type { TestContext } from 'node:test'
import assert from 'node:assert/strict'
import type { DomainConfig, DomainId, NetworkConfig, NetworkOps, NicConfig } from '../../src/drivers/driver.ts'
import { bootLinux } from '../guests/linux-shell.ts'
import { GuestShell } from '../guests/shell.ts'
import { World } from './world.ts'
import { atEnd } from '../support/at-end.ts'

/** A world that ends with the test. */
export async function openWorld(context: TestContext): Promise<World> {
  const world = await World.open()
  atEnd(context, () => world.close())
  return world
}

/** The group `networks` of the world's driver. */
export function networksOf(world: World): NetworkOps {
  const { networks } = world.driver
  assert(networks !== undefined, 'the driver has networks')
  return networks
}

/** Defines a network through the host's own sockets. */
export async function network(world: World, changes: Partial<NetworkConfig> = {}): Promise<string> {
  const plain = { id: crypto.randomUUID(), name: 'lab', nic: '', vlan: null, gateway: '', netmask: '' }
  const wanted = { ...plain, ...changes }
  await networksOf(world).define(wanted)
  return wanted.id
}

/** An interface with a hardware address that ends in this number. */
export function nic(number: number, plugged: string | null, changes: Partial<NicConfig> = {}): NicConfig {
  const mac = `02:00:00:00:00:${number.toString(16).padStart(2, '0')}`
  const plain = { mtu: 1500, model: 'paravirtualised', device: 'eth0' } as const
  return { id: crypto.randomUUID(), mac, ...plain, network: plugged, ...changes }
}

/** A running Linux guest with a shell. */
export interface LinuxGuest {
  readonly id: DomainId
  readonly shell: GuestShell
  readonly nics: readonly NicConfig[]
}

/** Starts a Linux guest with these interfaces, and waits for its shell. */
export async function linux(world: World, nics: readonly NicConfig[], changes: Partial<DomainConfig> = {}) {
  const id = await world.define({ ...(await bootLinux(world.dataDir)), nics, ...changes })
  await world.driver.domains.start(id)
  const shell = await GuestShell.openBooting(world.files(id).serialSocket)
  return { id, shell, nics } satisfies LinuxGuest
}

/** Gives the guest's interface an address of 10.77.0.0/24. */
export async function address({ shell }: LinuxGuest, last: number, device = 'eth0'): Promise<void> {
  await shell.run(`echo 1 >/proc/sys/net/ipv6/conf/${device}/disable_ipv6; ifconfig ${device} 10.77.0.${last} up`)
}

/** Waits until the guest reaches this address of 10.77.0.0/24. */
export async function reaches({ shell }: LinuxGuest, last: number): Promise<void> {
  await shell.until(`ping -c 1 -W 1 10.77.0.${last} || true`, / 0% packet loss/)
}

/** Whether the guest reaches an address within two seconds. */
export async function isReached({ shell }: LinuxGuest, last: number): Promise<boolean> {
  return / [01]?\d?% packet loss/.test(await shell.run(`ping -c 2 -W 1 10.77.0.${last} || true`))
}
