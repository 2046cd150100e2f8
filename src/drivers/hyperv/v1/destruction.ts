import { setTimeout as pause } from 'node:timers/promises'
import { wql } from '../../../protocols/wsman/index.ts'
import { DriverError } from '../../driver.ts'
import { isLost } from '../again.ts'
import type { Link } from '../wmi/link.ts'
import { portsOf } from './adapters.ts'
import { deletePort } from './ports.ts'
import { destroy } from './systems.ts'

/** How long a machine is looked for whose end nobody confirmed. */
const ENDING_MS_MAX = 10_000
const ENDING_PAUSE_MS = 250

/** Forgets a machine, and the ports that its cables led to, which a host keeps otherwise; its files of disks stay. */
export async function destroyWithPorts(link: Link, guid: string): Promise<void> {
  const ports = await portsOf(link, guid)
  try {
    await destroy(link, guid)
  } catch (error) {
    if (!isLost(error) || !(await isGone(link, guid))) throw error
  }
  try {
    for (const port of ports) await deletePort(link, port)
  } catch (error) {
    throw new DriverError('refused', `the machine ${guid} is gone, but ports that it was plugged into remain`, {
      cause: error,
    })
  }
}

/** Whether a machine is gone, or goes before long: a job takes it away. */
async function isGone(link: Link, guid: string): Promise<boolean> {
  for (const end = performance.now() + ENDING_MS_MAX; ; await pause(ENDING_PAUSE_MS)) {
    const [left] = await link.client.queryReferences(wql`SELECT * FROM Msvm_ComputerSystem WHERE Name = ${guid}`)
    if (left === undefined) return true
    if (performance.now() > end) return false
  }
}
