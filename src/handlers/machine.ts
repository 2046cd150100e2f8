/** The machines of VMs that devices are plugged into, and changing them so that a lost answer is no failure. */

import {
  type DeviceOps,
  type DiskConfig,
  type DomainConfig,
  type DomainId,
  DriverError,
  type NicConfig,
} from '../drivers/driver.ts'
import type { Context } from '../engine/context.ts'
import { fail } from '../model/errors.ts'
import { VM } from '../model/index.ts'
import { NULL_REF } from '../model/kernel/types.ts'

/** A machine that devices can be plugged into while it is there. */
export interface Machine {
  readonly devices: DeviceOps
  readonly id: DomainId
  readonly config: () => Promise<DomainConfig>
}

/**
 * The machine of a VM that is Running or Paused; undefined where there is none to plug into. Throws VM_BAD_POWER_STATE
 * where there is one that cannot be changed now, DRIVER_UNSUPPORTED where its host cannot do it.
 */
export async function machineOf({ store, hosts }: Context, vm: string): Promise<Machine | undefined> {
  // Its last reading may have failed; the state decides, so it is read once more.
  if (vm !== NULL_REF && store.get(VM, vm)?.power_state === 'Unknown') await hosts.observe(vm)
  const state = vm === NULL_REF ? 'Halted' : (store.get(VM, vm)?.power_state ?? 'Halted')
  if (state === 'Halted') return undefined
  if (state !== 'Running' && state !== 'Paused') {
    throw fail('VM_BAD_POWER_STATE', { vm, expected: 'Halted, Running, Paused', actual: state })
  }
  const { driver, id } = hosts.placementOf(vm)
  if (driver.devices === undefined) throw fail('DRIVER_UNSUPPORTED', { driver: driver.name, operation: 'devices' })
  return { devices: driver.devices, id, config: () => driver.domains.config(id) }
}

/** Changes a machine. Where the answer is lost and the machine shows that it was done, it was. */
async function change(
  machine: Machine | undefined,
  act: (machine: Machine) => Promise<void>,
  isDone: (config: DomainConfig) => boolean,
): Promise<void> {
  if (machine === undefined) return
  try {
    await act(machine)
  } catch (error) {
    if (!(error instanceof DriverError) || !(await shows(machine, isDone))) throw error
  }
}

async function shows(machine: Machine, isDone: (config: DomainConfig) => boolean): Promise<boolean> {
  try {
    return isDone(await machine.config())
  } catch (error) {
    if (error instanceof DriverError) return false
    throw error
  }
}

const diskOf = ({ disks }: DomainConfig, id: string) => disks.find(disk => disk.id === id)
const nicOf = ({ nics = [] }: DomainConfig, id: string) => nics.find(nic => nic.id === id)

export const detachDisk = (from: Machine | undefined, disk: string): Promise<void> =>
  change(
    from,
    ({ devices, id }) => devices.detachDisk(id, disk),
    config => diskOf(config, disk) === undefined,
  )

export const attachDisk = (to: Machine | undefined, disk: DiskConfig): Promise<void> =>
  change(
    to,
    ({ devices, id }) => devices.attachDisk(id, disk),
    config => diskOf(config, disk.id)?.location === disk.location,
  )

export const detachNic = (from: Machine | undefined, nic: string): Promise<void> =>
  change(
    from,
    ({ devices, id }) => devices.detachNic(id, nic),
    config => nicOf(config, nic) === undefined,
  )

export const attachNic = (to: Machine | undefined, nic: NicConfig): Promise<void> =>
  change(
    to,
    ({ devices, id }) => devices.attachNic(id, nic),
    config => nicOf(config, nic.id) !== undefined,
  )

export const changeMedium = (
  machine: Machine | undefined,
  drive: string,
  medium: Parameters<DeviceOps['changeMedium']>[2],
): Promise<void> =>
  change(
    machine,
    ({ devices, id }) => devices.changeMedium(id, drive, medium),
    config => diskOf(config, drive)?.location === (medium?.location ?? ''),
  )

export const connectNic = (machine: Machine | undefined, nic: string, network: string | null): Promise<void> =>
  change(
    machine,
    ({ devices, id }) => devices.connectNic(id, nic, network),
    config => nicOf(config, nic)?.network === network,
  )
