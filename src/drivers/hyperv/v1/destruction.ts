import { DriverError } from '../../driver.ts'
import type { Link } from '../wmi/link.ts'
import { portsOf } from './adapters.ts'
import { deletePort } from './ports.ts'
import { destroy } from './systems.ts'

/** Forgets a machine, and the ports that its cables led to, which a host keeps otherwise; its files of disks stay. */
export async function destroyWithPorts(link: Link, guid: string): Promise<void> {
  const ports = await portsOf(link, guid)
  await destroy(link, guid)
  try {
    for (const port of ports) await deletePort(link, port)
  } catch (error) {
    throw new DriverError('refused', `the machine ${guid} is gone, but ports that it was plugged into remain`, {
      cause: error,
    })
  }
}
